import csv
import io
import json
import re

import openpyxl
import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.domain.errors import UnloggedError
from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.models import AuditEntry
from nrm.services import departures
from nrm.statistics import questionnaires
from tests import ledger as ledgers
from tests.page_checks import words
from tests.releases import counted, flagged, frozen
from tests.world import ONE_PER_ROLE

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LIST = "/statistics/questionnaires"
TIP = f"{LIST}/us-tip"
NOBODYS = "7b1d52a0-6f1e-4c55-9d4e-0c1f7a6f2b90"


@pytest.fixture
def page(signed_in):
    return signed_in("analyst")


@pytest.fixture
def release_id(world, settings):
    with world.entered():
        flagged(60)
        return frozen(world, settings)


def entries(world, action):
    with world.entered():
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
        return db.session.scalars(query).all()


def rows(html):
    """Give each question with its figure, its share or rate, and its note."""
    found = {}
    for table in html.select("main table"):
        heads = [words(head) for head in table.select("thead th")]
        for row in table.select("tbody tr"):
            cells = dict(
                zip(heads, [words(cell) for cell in row.find_all(["th", "td"])], strict=True)
            )
            found.setdefault(cells["Question"], cells)
    return found


def taken(page, path):
    """Take a file out, as a browser does that reads all of it."""
    answer = page.get(path)
    data = answer.get_data()
    answer.close()
    return answer, data


# The pages.


def test_the_list_says_who_asks_and_whether_the_wording_is_verified(page):
    html = page.get(LIST)
    shown = [
        [words(cell) for cell in row.find_all(["th", "td"])] for row in html.select("tbody tr")
    ]
    assert len(shown) == len(questionnaires.names())
    by_title = {row[0]: row for row in shown}
    sdg = by_title["SDG indicator 16.2.2: victims of human trafficking per 100,000 population"]
    assert sdg[1].startswith("United Nations Office on Drugs and Crime")
    assert sdg[3] == "Verified"
    tip = by_title["Figures for the Trafficking in Persons Report of the United States"]
    assert tip[3] == "Not verified"
    page.click(tip[0])
    assert "The wording is not verified." in words(page.html.main)


def test_before_a_release_is_frozen_the_page_says_so_and_offers_nothing(world, settings, page):
    with world.entered():
        flagged(40)
        draft = counted(world, settings)
    html = page.get(TIP)
    assert "No release is frozen yet." in words(html.main)
    assert not html.select("main table")
    assert not html.select("a[href*='/files/']")
    page.get(f"{TIP}?release={draft}", status=403)
    page.get(f"{TIP}/files/csv?release={draft}", status=403)
    page.get(f"/statistics/releases/{draft}/files/csv", status=403)
    page.get(f"{TIP}/files/csv", status=404)


@pytest.mark.usefixtures("release_id")
def test_a_questionnaire_is_answered_from_the_newest_release(world, page):
    given = rows(page.get(TIP))
    assert re.fullmatch(r"\d+", given["All"]["Figure"])
    assert given["Victims referred to services"]["Share or rate"].endswith(" %")
    assert given["Victims given a service"]["Note"] == "Under 10, or nobody: not shown"
    court = given["Convictions"]
    assert (court["Figure"], court["Note"]) == (
        "",
        "Not recorded in this system. To be answered by: Court",
    )
    given = rows(page.get(f"{LIST}/sdg-16-2-2"))
    rate = given["Victims detected"]["Share or rate"]
    assert re.fullmatch(r"0\.\d\d per 100,000 \(of 13,246,394, 2022\)", rate)
    assert given["Under 18"]["Note"].startswith("No rate: ")
    assert {entry.purpose for entry in entries(world, "statistics:view")} == {
        "us-tip",
        "sdg-16-2-2",
    }


def test_another_release_is_one_click_away(world, settings, page, release_id):
    with world.entered():
        flagged(45, "2025Q2", seed=5)
        older = frozen(world, settings, "2025Q2", "final")
    html = page.get(TIP)
    assert "July to September 2025" in words(html.select_one(".nrm-release"))
    html = page.click("April to June 2025, Final")
    assert page.path.endswith(f"release={older}")
    assert "April to June 2025" in words(html.select_one(".nrm-release"))
    [link] = [a["href"] for a in html.select("a[href*='/files/csv']")]
    assert str(older) in link
    assert str(release_id) not in link


@pytest.mark.parametrize("path", [f"{LIST}/nobody-asks", f"{TIP}?release={NOBODYS}"])
@pytest.mark.usefixtures("release_id")
def test_what_nobody_asks_is_not_found(page, path):
    page.get(path, status=404)


# The files.


@pytest.mark.usefixtures("release_id")
def test_a_questionnaire_is_taken_out_by_its_links(world, page):
    html = page.get(TIP)
    links = {words(a): a["href"] for a in html.select("a[href*='/files/']")}
    assert list(links) == [
        "Workbook (XLSX)",
        "Table (CSV)",
        "For other programs (JSON)",
    ]
    shown = rows(html)["All"]["Figure"]
    answer, data = taken(page, links["Table (CSV)"])
    assert answer.mimetype == "text/csv"
    table = list(csv.reader(io.StringIO(data.decode())))
    assert [row[3] for row in table if row[1:2] == ["All"]] == [shown]
    answer, data = taken(page, links["For other programs (JSON)"])
    assert answer.mimetype == "application/json"
    assert str(json.loads(data)["answers"][0]["figure"]) == shown
    answer, data = taken(page, links["Workbook (XLSX)"])
    assert answer.mimetype == XLSX
    assert openpyxl.load_workbook(io.BytesIO(data)).sheetnames == ["About", "Answers"]
    outcomes = [entry.outcome for entry in entries(world, "statistics:export")]
    assert outcomes == ["begun", "done"] * 3


def test_a_release_and_one_table_of_it_are_taken_out_under_plain_names(world, page, release_id):
    files = f"/statistics/releases/{release_id}/files"
    for path, name in (
        (f"{files}/xlsx", "statistics-2025Q3-provisional.xlsx"),
        (f"{files}/csv?table=R3", "statistics-2025Q3-provisional-R3.csv"),
        (f"{TIP}/files/json", "statistics-2025Q3-provisional-us-tip.json"),
    ):
        answer, data = taken(page, path)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_length == len(data)
    begun = [entry for entry in entries(world, "statistics:export") if entry.outcome == "begun"]
    assert [entry.purpose for entry in begun] == ["xlsx", "csv R3", "json us-tip"]
    for wrong in ("pdf", "csv?table=R99", "csv?table=R8a", "CSV"):
        page.get(f"{files}/{wrong}", status=404)


def test_whoever_goes_away_in_the_midst_has_not_taken_it(world, page, release_id):
    answer = page.client.get(f"/statistics/releases/{release_id}/files/csv")
    answer.close()
    # The browser asks only how large it would be.
    page.client.head(f"/statistics/releases/{release_id}/files/csv").close()
    told = [(entry.outcome, entry.subject_type) for entry in entries(world, "statistics:export")]
    assert told == [("begun", "release"), ("failed", "entry")] * 2
    with world.entered():
        assert departures.sweep() == 0


def test_while_the_log_takes_no_entry_no_file_leaves(world, page, release_id, monkeypatch):
    def refuse(*_args, **_given):
        raise UnloggedError("the entry could not be written")

    with world.entered():
        before = ledgers.state()
    monkeypatch.setattr(departures, "record", refuse)
    for path in (f"/statistics/releases/{release_id}/files/csv", f"{TIP}/files/xlsx"):
        page.get(path, status=503)
    with world.entered():
        assert ledgers.state() == before


# Who may.


@pytest.mark.parametrize("role", [role for role in HUMAN_ROLES if role is not Role.ANALYST])
def test_other_roles_are_refused_and_the_log_knows(world, signed_in, release_id, role):
    page = signed_in(ONE_PER_ROLE[role])
    for path in (LIST, TIP, f"{TIP}/files/csv", f"/statistics/releases/{release_id}/files/csv"):
        page.get(path, status=403)
    assert [entry.purpose for entry in entries(world, "access:refused")] == [
        "statistics:view",
        "statistics:view",
        "statistics:export",
        "statistics:export",
    ]
    assert entries(world, "statistics:export") == []
