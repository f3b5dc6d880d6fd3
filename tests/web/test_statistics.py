from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.models import AuditEntry
from nrm.services import figures, releases, statistics
from nrm.statistics import release as making
from nrm.statistics.attack import Proved
from nrm.statistics.catalogue import SOURCE, Counts
from nrm.statistics.method import METHOD
from nrm.web.context import day
from nrm.web.statistics_pictures import page_of
from tests import world as worlds
from tests.page_checks import words
from tests.releases import QUARTER, flagged, frozen, statistics_of
from tests.world import ONE_PER_ROLE

# The first pages that show no numbers and no cases yet: whose they are.
FIRST_PAGES = {"/statistics": Role.ANALYST, "/decisions": Role.DECISION_MAKER}


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_each_first_page_is_for_one_role(world, signed_in, role):
    page = signed_in(ONE_PER_ROLE[role])
    closed = [address for address, reader in FIRST_PAGES.items() if reader is not role]
    for address in closed:
        page.get(address, status=403)
    with world.entered():
        refused = select(AuditEntry).where(AuditEntry.action == "access:refused")
        entries = db.session.scalars(refused).all()
    assert [entry.actor_id for entry in entries] == [world.accounts[ONE_PER_ROLE[role]]] * len(
        closed
    )


def test_the_analyst_is_told_that_nothing_is_published_and_reads_no_count(world, signed_in):
    reference = worlds.flag(world)
    html = signed_in("analyst").get("/statistics")
    assert "No release is published yet." in words(html.main)
    assert reference not in str(html)
    assert not html.main.find("table")


def test_the_decision_maker_is_told_that_decisions_are_on_paper(world, signed_in):
    reference = worlds.flag(world)
    html = signed_in("decision_maker").get("/decisions")
    assert "Decisions are recorded on paper for now." in words(html.main)
    assert reference not in str(html)


@pytest.mark.parametrize("name", ["analyst", "decision_maker"])
def test_neither_reaches_a_case(world, signed_in, name):
    reference = worlds.flag(world)
    page = signed_in(name)
    for address in ("/cases", f"/cases/{reference}", "/flags", "/inbox", "/audit", "/directory"):
        page.get(address, status=403)


def test_a_release_is_of_the_day_that_it_was_in_the_country(app):
    """Frozen after midnight in Kigali, it is of the new day, as the bulletin says."""
    with app.test_request_context():
        assert day(datetime(2026, 11, 28, 22, 30, tzinfo=UTC)) == "29 November 2026"
        assert day(date(2026, 11, 28)) == "28 November 2026"


def test_the_question_for_the_period_begins_as_every_other(signed_in):
    html = signed_in("analyst").get("/statistics/releases")
    assert words(html.select_one("select[name=period] option")) == "Choose"


def test_the_page_of_the_method_says_what_bulletins_and_files_say(signed_in):
    html = signed_in("analyst").get("/statistics/method")
    assert [words(one) for one in html.main.find_all("h2")] == [one.heading for one in METHOD]
    assert [words(one) for one in html.main.find_all("li")] == [
        paragraph for one in METHOD for paragraph in one.paragraphs
    ]


def test_each_page_stands_below_its_own_place(world, signed_in, settings):
    with world.entered():
        flagged(40)
        flagged(40, "2025Q2", seed=2)
        earlier, release_id = (frozen(world, settings, period) for period in ("2025Q2", "2025Q3"))
    page, of_it = signed_in("analyst"), f"/statistics/releases/{release_id}"
    for address, place in {
        "/statistics": "Overview",
        "/statistics/tables": "Tables",
        f"{of_it}/tables": "Tables",
        f"{of_it}/tables/R3": "Tables",
        f"{of_it}/tables/R3/beside/{earlier}": "Tables",
        "/statistics/releases": "Releases",
        of_it: "Releases",
        f"{of_it}/bulletin": "Releases",
        "/statistics/questionnaires/us-tip": "Questionnaires",
        "/statistics/method": "Method",
    }.items():
        html = page.get(address)
        assert [words(one) for one in html.select("nav [aria-current=page]")] == [place], address


def test_no_line_over_the_releases_says_of_a_figure_that_was_not_read_that_it_is_hidden(
    world, signed_in, settings
):
    with world.entered():
        flagged(60)
        flagged(60, "2025Q2", seed=2)
        frozen(world, settings, "2025Q2")
        release_id = frozen(world, settings)
        shown = figures.read(world.actor("analyst"), release_id, (), world.pack.code, history=1)
    identified = shown.kept.figure(Counts.PERSONS)
    presumed = shown.kept.figure(Counts.PERSONS, decision="presumed")
    assert identified
    assert presumed
    html = signed_in("analyst").get(f"/statistics/releases/{release_id}/tables/R1")
    drawing = words(html.main.select_one(".nrm-figure svg"))
    assert f"Identified{identified}" in drawing
    assert f"Presumedvictims{presumed}" in drawing
    # A release that left the table of presumptions out has no such line.
    persons = shown.kept.figures[Counts.PERSONS].items()
    told = {cell: figure for cell, figure in persons if "decision" not in dict(cell)}
    without = replace(shown, kept=replace(shown.kept, figures={Counts.PERSONS: told}))
    with world.app.test_request_context():
        drawing = page_of(without, figures.listed(world.pack.code)["R1"])["picture"]
    assert "Identified" in drawing
    assert "Presumed victims" not in drawing


# While a release waits to be counted.


@pytest.fixture
def asked_for(world):
    with world.entered():
        flagged(60)
        return releases.ask(world.actor("analyst"), QUARTER, "provisional", world.pack)


def test_where_nothing_is_counted_the_page_says_which_process_is_not_running(signed_in, asked_for):
    page = signed_in("analyst")
    said = words(page.get(f"/statistics/releases/{asked_for}").main)
    assert "Waiting to be counted." in said
    assert (
        "the process that holds the key file of the statistics is not running: ask whoever runs "
        "the system for nrm tick. Everything else goes on without it."
    ) in said
    assert "%" not in said


def test_how_far_the_counting_is_stands_on_the_page_that_waits(
    world, signed_in, settings, asked_for, monkeypatch
):
    monkeypatch.setattr(statistics, "_TOLD_AFTER", 15)

    def killed(done, _of):
        if done == 45:
            raise RuntimeError("killed")

    with world.entered(), statistics_of(settings), pytest.raises(RuntimeError):
        statistics.go_on(world.pack, killed)
    page, address = signed_in("analyst"), f"/statistics/releases/{asked_for}"
    assert "75 % of the cases are counted" in words(page.get(address).main)
    assert "75 %" in words(page.get("/statistics/releases").main)
    with world.entered(), statistics_of(settings):
        statistics.go_on(world.pack)
    assert "of the cases are counted" not in words(page.get(address).main)


# Two releases, and what is hidden.


@pytest.fixture
def two_releases(world, settings):
    """Freeze two quarters, the second without the table of sex and age; the newer one first."""

    def frozen_without(period, number):
        prove, proved = making.attacked, frozenset({("sex", "male"), ("age", "child")})

        def attacked(figures, listed, *known):
            if number in {one.number for one in listed}:
                return Proved(1, 1, 0, frozenset({proved}))
            return prove(figures, listed, *known)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(making, "attacked", attacked)
            return frozen(world, settings, period)

    with world.entered():
        flagged(120, "2025Q2", seed=2)
        flagged(120)
        earlier = frozen(world, settings, "2025Q2")
        return frozen_without("2025Q3", "R3"), earlier


def test_two_releases_beside_each_other_show_both_figures_and_what_a_difference_means(
    world, signed_in, two_releases
):
    newer, earlier = two_releases
    with world.entered():
        sides = figures.compared(world.actor("analyst"), newer, earlier, "R2", world.pack.code)
    page = signed_in("analyst")
    page.get(f"/statistics/releases/{newer}/tables/R2")
    html = page.click("April to June 2025")
    assert "a difference of up to ten may be no difference" in words(html.main)
    cards = html.main.select(".nrm-card")
    assert [words(card.h2) for card in cards] == ["July to September 2025", "April to June 2025"]
    compared = 0
    for card, shown in zip(cards, sides, strict=True):
        said = {words(row.th): words(row.td) for row in card.select("tbody tr")}
        assert said["All"] == str(shown.kept.figure(Counts.PERSONS))
        for code in SOURCE.codes:
            figure = shown.kept.figure(Counts.PERSONS, source=code)
            if figure is not None:
                assert said[SOURCE.words[code]] == str(figure)
                compared += 1
    assert compared > 4
    assert words(cards[0].table) != words(cards[1].table)


def test_a_table_that_one_release_left_out_is_beside_no_other(signed_in, two_releases):
    newer, earlier = two_releases
    page = signed_in("analyst")
    html = page.get(f"/statistics/releases/{newer}/tables")
    assert "would have proved something of a person: R3, R5a." in words(html.main)
    # The overview of the one that has it offers no other, and neither address has an answer.
    assert page.get(f"/statistics/releases/{earlier}/tables/R3").main.find("table")
    for one, other in ((newer, earlier), (earlier, newer)):
        page.get(f"/statistics/releases/{one}/tables/R3/beside/{other}", status=404)
    page.get(f"/statistics/releases/{newer}/tables/R3", status=404)
    html = page.get(f"/statistics/releases/{newer}/tables/R2")
    assert "Beside another release" in words(html.main)


def test_hidden_days_are_of_too_few_people_and_no_few_days(world, signed_in, settings):
    with world.entered():
        flagged(30)
        release_id = frozen(world, settings)
        shown = figures.read(world.actor("analyst"), release_id, ("R11",), world.pack.code)
    days = shown.kept.figures[Counts.DAYS]
    assert None in days.values()
    page = signed_in("analyst")
    said = words(page.get(f"/statistics/releases/{release_id}/tables/R11").main)
    assert "oo few people" in said
    assert "nder 10" not in said
    sent = shown.kept.figure(Counts.DAYS, step="sent")
    tiles = page.get(f"/statistics/releases/{release_id}").main.select(".nrm-tile")
    assert words(tiles[-1]).startswith(
        f"{'too few people' if sent is None else sent} days to the first referral"
    )
