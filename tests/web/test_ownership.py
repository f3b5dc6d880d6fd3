"""Who looks after a case, on the screens of those whom it concerns."""

import pytest

from nrm.services import absence, ownership, people
from tests import world as worlds
from tests.page_checks import words


def main(page):
    return words(page.html.select_one("main"))


def head(page):
    return words(page.html.select_one(".nrm-identity__keeper"))


def options(page, name="to"):
    return [words(one) for one in page.html.select(f"select[name={name}] option")][1:]


def rows(page):
    return {
        words(row.select_one(".nrm-worklist__ref")): words(row)
        for row in page.html.select(".nrm-worklist__row")
    }


@pytest.fixture
def act(world):
    """Act as somebody through the services."""

    def acting(function, name, *args, **given):
        with world.entered():
            return function(world.actor(name), *args, **given)

    return acting


def test_a_case_is_taken_and_its_head_says_who_has_it(world, signed_in):
    reference = worlds.flag(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{reference}")
    assert head(page) == "Nobody looks after this case"
    page.get(f"/cases/{reference}/owner")
    page.post(f"/cases/{reference}/take")
    page.follow()
    assert head(page) == "Looked after by you"
    assert "Case assigned" in main(page)
    assert f"To {world.person_name('coordinator')}." in main(page)
    other = signed_in("second_coordinator")
    other.get(f"/cases/{reference}")
    assert head(other) == f"Looked after by {world.person_name('coordinator')}"


def test_who_takes_too_late_is_told_who_has_it(world, signed_in, act):
    reference = worlds.flag(world)
    page = signed_in("second_coordinator")
    page.get(f"/cases/{reference}/owner")
    act(ownership.take, "coordinator", reference)
    page.post(f"/cases/{reference}/take", status=409)
    assert world.person_name("coordinator") in main(page)


def test_a_colleague_is_given_the_case_with_a_reason(world, signed_in):
    reference = worlds.presumed(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{reference}/assign")
    assert options(page) == [
        f"{world.person_name('coordinator')} (you)",
        f"{world.person_name('second_coordinator')}, {world.organisation_name('coordination')}",
    ]
    to = str(world.accounts["second_coordinator"])
    page.post(f"/cases/{reference}/assign", {"to": to}, status=422)
    assert "Choose why the case changes hands" in main(page)
    page.post(f"/cases/{reference}/assign", {"to": to, "reason": "language"})
    page.follow()
    assert head(page) == f"Looked after by {world.person_name('second_coordinator')}"
    other = signed_in("second_coordinator")
    other.get("/notices")
    assert "A case was given to you" in main(other)


def test_the_page_says_that_health_is_closed_and_the_ways_to_it(world, signed_in):
    reference = worlds.presumed(world)
    page = signed_in("second_coordinator")
    page.get(f"/cases/{reference}")
    said = main(page)
    owner = world.person_name("coordinator")
    assert f"This part is for whoever looks after the case: {owner}." in said
    assert page.html.select_one(f"main a[href='/cases/{reference}/owner']")
    assert "Open in an emergency" in said
    assert not page.html.select(f"form[action$='/cases/{reference}/open/health']")
    assert page.html.select(f"form[action$='/cases/{reference}/open/identity']")


def test_a_case_that_was_taken_away_says_so_and_names_nobody_who_is_still_there(
    world, signed_in, act
):
    """Asked why they let it go, whoever is kept out of it would learn of that."""
    reference, name = worlds.flag(world), world.person_name("second_coordinator")
    act(ownership.take, "second_coordinator", reference)
    worlds.kept_out(world, reference, "second_coordinator")
    page = signed_in("coordinator")
    page.get("/cases?queue=nobodys")
    assert "Nobody looks after it: looked after before" in rows(page)[reference]
    assert name not in words(page.html)
    page.get(f"/cases/{reference}/owner")
    assert "Nobody looks after this case. It was looked after before." in main(page)
    assert name not in main(page)
    # Once they have left, nobody can ask them any more.
    act(people.disable, "administrator", world.accounts["second_coordinator"])
    page.get("/cases?queue=nobodys")
    assert f"Nobody looks after it: left by {name}" in rows(page)[reference]
    act(ownership.take, "coordinator", reference)
    assert page.get("/cases?queue=mine")
    assert "You look after it" in rows(page)[reference]


def test_what_was_open_closes_when_the_case_goes_to_another(world, signed_in, act):
    """The page stays a page: what was opened a minute ago is somebody else's to read now."""
    reference = worlds.presumed(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{reference}")
    page.post(f"/cases/{reference}/open/health", {"health-reason": "safety"})
    page.follow()
    assert "A practice note." in main(page)
    owner, to = world.accounts["coordinator"], world.accounts["second_coordinator"]
    act(ownership.assign, "coordinator", reference, to, "absent", owner=owner)
    page.get(f"/cases/{reference}")
    assert "A practice note." not in page.response.get_data(as_text=True)
    assert "This part is for whoever looks after the case" in main(page)


def test_the_rows_say_who_looks_after_each_case(world, signed_in, act):
    mine, nobodys = worlds.presumed(world), worlds.flag(world)
    elsewhere, left = worlds.flag(world), worlds.flag(world)
    act(ownership.take, "other_coordinator", elsewhere)
    act(ownership.take, "second_coordinator", left)
    act(people.disable, "administrator", world.accounts["second_coordinator"])
    act(absence.set_away, "other_coordinator", world.today, world.accounts["coordinator"],
        world.pack)  # fmt: skip
    page = signed_in("coordinator")
    page.get("/cases")
    said = rows(page)
    assert "You look after it" in said[mine]
    assert "Nobody looks after it" in said[nobodys]
    assert f"You stand in for {world.person_name('other_coordinator')}" in said[elsewhere]
    assert f"left by {world.person_name('second_coordinator')}" in said[left]
    page.get("/cases?queue=mine")
    assert set(rows(page)) == {mine, elsewhere}
    page.get("/cases?queue=nobodys")
    assert set(rows(page)) == {nobodys, left}


def test_a_case_goes_to_another_organisation_and_is_taken_over(world, signed_in):
    reference = worlds.presumed(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{reference}/offer")
    to = str(world.accounts["other_coordinator"])
    page.post(f"/cases/{reference}/offer", {"to": to, "words": "Her sister lives there."})
    page.follow()
    assert "Until they take it over, nothing changes" in main(page)
    other = signed_in("other_coordinator")
    other.get("/cases")
    assert "Offered to you" in main(other)
    [link] = [one["href"] for one in other.html.select("main a[href^='/hand-overs/']")]
    other.get(link)
    assert "Her sister lives there." in main(other)
    other.post(f"{link}/take")
    other.follow()
    assert "You look after this case now." in main(other)
    other.get(f"/cases/{reference}")
    assert head(other) == "Looked after by you"
    other.get("/cases")
    assert "Offered to you" not in main(other)
    page.get(f"/cases/{reference}/offer")
    assert "Take it first" in main(page)


def test_being_away_is_said_at_the_case_and_ends_with_a_press(world, signed_in):
    reference = worlds.presumed(world)
    page = signed_in("coordinator")
    page.get("/away")
    day = [str(part) for part in (world.today.day, world.today.month, world.today.year)]
    to = str(world.accounts["second_coordinator"])
    page.post("/away", {"until": ["1", "1", "2020"], "to": to}, status=422)
    assert "Enter today or a later day" in main(page)
    page.post("/away", {"until": day, "to": to})
    page.follow()
    assert f"{world.person_name('second_coordinator')} stands in." in main(page)
    third = signed_in("other_coordinator")
    third.get(f"/cases/{reference}")
    assert f"{world.person_name('second_coordinator')} stands in" in head(third)
    stand_in = signed_in("second_coordinator")
    stand_in.get("/away")
    assert world.person_name("coordinator") in main(stand_in)
    page.get("/away")
    page.post("/away/back")
    page.follow()
    third.get(f"/cases/{reference}")
    assert "stands in" not in head(third)


def test_a_colleague_goes_on_with_a_draft_that_was_left(world, signed_in):
    draft = worlds.left_draft(world, "second_responder")
    page = signed_in("first_responder")
    page.get("/flags")
    assert f"Begun by {world.person_name('second_responder')}" in main(page)
    page.get(f"/left-drafts/{draft}/take")
    page.post(f"/left-drafts/{draft}/take", status=422)
    page.post(f"/left-drafts/{draft}/take", {"reason": "was_there"})
    page.follow()
    page.get(f"/flags/drafts/{draft}/check")
    page.post(f"/flags/drafts/{draft}/check")
    page.follow()
    assert "Left by colleagues" not in words(page.get("/flags").select_one("main"))


def test_a_coordinator_finds_a_writer_for_a_draft_without_reading_it(world, signed_in):
    given = {"person": {"given_name": "Kanarirare"}}
    draft = worlds.left_draft(world, "other_responder", **given)
    page = signed_in("coordinator")
    page.get("/cases")
    assert "1 draft of a flag was left behind" in main(page)
    page.get("/left-drafts")
    assert "Nobody is left there" in main(page)
    page.get(f"/left-drafts/{draft}/give")
    assert "Kanarirare" not in page.response.get_data(as_text=True)
    page.post(f"/left-drafts/{draft}/give", {"to": str(world.accounts["first_responder"])})
    page.follow()
    assert "No draft was left behind." in main(page)
    writer = signed_in("first_responder")
    writer.get(f"/flags/drafts/{draft}")


def test_no_name_of_anybody_stands_in_a_title_or_an_address(world, signed_in):
    reference = worlds.presumed(world)
    page = signed_in("coordinator")
    for path in (f"/cases/{reference}/owner", f"/cases/{reference}/assign", "/away"):
        page.get(path)
        assert "Practice" not in words(page.html.title)
