"""The vault as people meet it: finding a person, keeping their papers, erasing their file."""

import io

from PIL import Image

from nrm.services import comparison
from tests import world as worlds

GIVEN, FAMILY = "Practisse", "Personnage"
# As somebody else may have heard it, and in the other order.
HEARD = "Personage Practise"
TITLE = "A practice paper"
SECRET_PLACE = b"kanari-place-of-the-photo"


def test_a_person_is_found_their_paper_kept_and_their_file_erased(world, enter, traces):
    reference = worlds.flag(world, person={"given_name": GIVEN, "family_name": FAMILY})
    again = worlds.flag(world, person={"given_name": FAMILY, "family_name": GIVEN})
    with world.entered():
        assert comparison.compare_new().done == 2

    coordinator = enter("coordinator")
    the_coordinator_finds_the_person(coordinator, reference, again)
    the_coordinator_learns_that_the_person_is_known(coordinator, reference)
    the_coordinator_adds_a_photo(coordinator)
    the_coordinator_chooses_a_file_that_is_none(coordinator)
    the_coordinator_closes_the_case_and_asks(coordinator)
    colleague = enter("second_coordinator")
    the_colleague_erases_the_file(colleague, reference)
    nobody_finds_the_file_any_more(coordinator, reference)
    assert not [trace for trace in traces if GIVEN in trace or FAMILY in trace or HEARD in trace]


def the_coordinator_finds_the_person(coordinator, reference, again):
    coordinator.follows("Find a person")
    coordinator.arrives_at("Find a person", picture=False)
    coordinator.writes("Names", "P")
    coordinator.presses("Find the person")
    coordinator.is_asked_again_at("Find a person", "Enter at least two letters of a name.")
    coordinator.finds_written("Names", "P")
    coordinator.writes("Names", "Nobody Known")
    coordinator.presses("Find the person")
    coordinator.sees("Nobody found")
    coordinator.writes("Names", HEARD)
    coordinator.presses("Find the person")
    coordinator.sees("2 people found")
    coordinator.arrives_at("Find a person")
    coordinator.sees_row(reference, "Sounds alike")
    coordinator.sees_row(again, "Sounds alike")
    coordinator.follows(reference)


def the_coordinator_learns_that_the_person_is_known(coordinator, reference):
    coordinator.arrives_at("Overview")
    assert coordinator.tab.url.endswith(reference)
    coordinator.sees("This person may already be known:")
    coordinator.follows("See why")
    coordinator.arrives_at("Is this person known already?")
    coordinator.presses("Look again")
    coordinator.sees("All files were looked through again.")


def the_coordinator_adds_a_photo(coordinator):
    coordinator.follows("Documents")
    coordinator.arrives_at("Documents", picture=False)
    coordinator.presses("Add a document")
    coordinator.arrives_at("Add a document")
    coordinator.tab.get_by_label("The file").set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    coordinator.ticks("Name and identity", under="Where does it belong?")
    coordinator.writes("Title (optional)", TITLE)
    coordinator.presses("Add the document")
    coordinator.arrives_at("Documents")
    coordinator.sees(TITLE)
    with coordinator.tab.expect_download() as handed_out:
        coordinator.tab.get_by_role("link", name=f"Download {TITLE}").click()
    name, kept = handed_out.value.suggested_filename, handed_out.value.path().read_bytes()
    assert name.endswith(".jpg")
    assert TITLE not in name
    assert SECRET_PLACE not in kept
    assert Image.open(io.BytesIO(kept)).size == (64, 48)


def the_coordinator_chooses_a_file_that_is_none(coordinator):
    coordinator.presses("Add a document")
    coordinator.tab.get_by_label("The file").set_input_files(
        {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": b"<svg onload='x()'/>"}
    )
    coordinator.ticks("Name and identity", under="Where does it belong?")
    coordinator.presses("Add the document")
    coordinator.is_asked_again_at("Add a document")
    coordinator.follows("Overview")


def photo():
    made = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = SECRET_PLACE.decode()
    Image.new("RGB", (64, 48), "teal").save(made, "JPEG", exif=exif)
    assert SECRET_PLACE in made.getvalue()
    return made.getvalue()


def the_coordinator_closes_the_case_and_asks(coordinator):
    coordinator.follows("Close the case")
    why = "Found not to be a victim, referred elsewhere"
    coordinator.ticks(why, under="Why is the case closed?")
    coordinator.presses("Close the case")
    coordinator.follows("Ask for the erasure of this file")
    coordinator.arrives_at("Ask for the erasure")
    coordinator.ticks("Flagged by mistake", under="Why should the file be erased?")
    coordinator.presses("Ask for the erasure")
    coordinator.arrives_at("Request to erase a file")


def the_colleague_erases_the_file(colleague, reference):
    colleague.follows("Second person")
    colleague.follows("Files to be erased")
    colleague.arrives_at("Erasures")
    colleague.follows(reference)
    colleague.arrives_at("Request to erase a file")
    colleague.presses("Carry out the erasure")
    colleague.arrives_at("Erase this file for good?")
    colleague.writes("Type the reference of the file to confirm", "ZZZZ-ZZZZ-Z")
    colleague.presses("Erase the file for good")
    colleague.is_asked_again_at("Erase this file for good?", "Type the reference of this file.")
    colleague.writes("Type the reference of the file to confirm", reference.lower())
    colleague.presses("Erase the file for good")
    colleague.arrives_at("This file was erased")


def nobody_finds_the_file_any_more(coordinator, reference):
    coordinator.opens(f"/cases/{reference}")
    coordinator.arrives_at("This file was erased")
    coordinator.follows("Find a person")
    coordinator.writes("Names", HEARD)
    coordinator.presses("Find the person")
    coordinator.sees("1 person found")
    coordinator.has_nothing_of(reference)
