"""Emergency access on its pages: what opens is readable, and a review tells how it stands."""

from datetime import UTC, datetime, timedelta

import time_machine

from tests import world as worlds
from tests.page_checks import words


def test_what_an_emergency_opens_is_said_as_everywhere_else(world, signed_in):
    reference = worlds.flag(world, person={"birth_date": "1987-03-19"})
    page = signed_in("first_responder")
    page.get(f"/flags/{reference}/emergency")
    page.post(
        f"/flags/{reference}/emergency", {"reason": "danger_to_life", "words": "Practice words."}
    )
    told = words(page.follow().main)
    assert "19 March 1987" in told
    assert "1987-03-19" not in told


def test_a_review_says_whether_it_is_open_still(world, signed_in):
    glass_id = worlds.opened_in_emergency(world, worlds.flag(world))
    page = signed_in("auditor")
    told = words(page.get(f"/emergency/{glass_id}").main)
    assert "Closes by itself" in told
    assert "Closed by itself" not in told
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        told = words(signed_in("auditor").get(f"/emergency/{glass_id}").main)
    assert "Closed by itself" in told
