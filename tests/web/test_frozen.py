"""Of a frozen release every byte stays, whatever becomes of the cases that it counts."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine

from nrm.domain.consent import Answer, GivenBy
from nrm.domain.flag import quarter
from nrm.services import consent, counting
from nrm.services.exploitation import Exploitation, record_exploitation
from nrm.services.statistics_files import Kind
from nrm.web import statistics_pictures
from tests import world as worlds
from tests.crash import PROOF
from tests.releases import flagged, frozen, statistics_of
from tests.services.erasures import ask, carry_out

PAGES = ("", "/tables", "/tables/R3", "/tables/R11", "/bulletin")
FILES = ("/bulletin.pdf", *(f"/files/{kind}" for kind in Kind))
# What a page says of the looking and not of the release: the token in the form for signing out,
# and the line for paper that says who printed it, and when to the minute.
OF_THE_LOOKING = re.compile(rb'name="csrf_token" value="[^"]*"|<p class="nrm-printed".*?</p>')
TIMES, PDFS = 100, 100 if PROOF else 10


def served(page, release_id, ending):
    """Fetch what is served of a release, made anew and not taken from what was drawn before."""
    statistics_pictures._DRAWN.clear()
    with page.client.get(f"/statistics/releases/{release_id}{ending}") as answer:
        assert answer.status_code == 200, ending
        assert answer.data
        return OF_THE_LOOKING.sub(b"", answer.data)


def everybody(settings):
    """Open what would be counted now: the facts and the counted acts of each case."""
    with statistics_of(settings):
        found = list(counting.facts_of_everybody(counting.Opened()))
    return {case_id: (facts, events) for case_id, facts, events in found}


@pytest.mark.parametrize(
    ("ending", "times"), [("/tables/R3", TIMES), ("/files/csv", TIMES), ("/bulletin.pdf", PDFS)]
)
def test_a_frozen_release_is_the_same_bytes_every_time(
    world, signed_in, settings, counted, ending, times
):
    with world.entered():
        flagged(120)
        release_id = frozen(world, settings)
    page = signed_in("analyst")
    first = served(page, release_id, ending)
    assert all(served(page, release_id, ending) == first for _ in range(times - 1))
    counted(f"{len(first):,} bytes were the same {times} times")


def test_no_served_byte_changes_when_a_counted_case_is_edited_erased_or_withdrawn(
    world, signed_in, settings
):
    # The quarter before this one is over, so that it can be released.
    first_day = world.today.replace(month=3 * ((world.today.month - 1) // 3) + 1, day=1)
    then = datetime.combine(first_day - timedelta(days=30), time(12), UTC)
    period, found_then = quarter(then.date()), {"found_on": then.date().isoformat()}
    with world.entered():
        with time_machine.travel(then):
            edited, withdrawn = (worlds.presumed(world, place=found_then) for _ in range(2))
            erased, _ = worlds.closed(world, place=found_then)
        flagged(60, period)
        release_id = frozen(world, settings, period)
        counted = everybody(settings)
        assert len(counted) == 63
        assert {facts["quarter"] for facts, _ in counted.values()} == {period}
    page = signed_in("analyst")
    before = {ending: served(page, release_id, ending) for ending in (*PAGES, *FILES)}
    with world.entered():
        edit(world, edited)
        withdraw(world, withdrawn)
        carry_out(world, world.app.config["NRM"], (erased, ask(world, erased)))
        left = everybody(settings)
        # All three would be counted in another way, or no more.
        assert len(counted.keys() - left.keys()) == 1
        assert sum(left[case_id] != counted[case_id] for case_id in left) == 2
    for ending, data in before.items():
        assert served(page, release_id, ending) == data, ending


def edit(world, reference):
    record_exploitation(
        world.actor("coordinator"),
        reference,
        Exploitation(("servitude",), "outbound", "domestic_work", "refugee"),
        version=worlds.version(world, reference),
    )


def withdraw(world, reference):
    consent.record(
        world.actor("coordinator"),
        reference,
        [consent.NewAnswer("statistics", Answer.WITHDRAWN)],
        consent.How("oral", "run", GivenBy.PERSON),
        pack=world.pack,
    )
