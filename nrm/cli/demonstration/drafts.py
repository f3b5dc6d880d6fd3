"""Flags that somebody began and has not sent yet."""

from dataclasses import dataclass
from datetime import timedelta

from nrm.cli.demonstration import people, plots
from nrm.cli.demonstration.acts import World
from nrm.cli.demonstration.story import Story
from nrm.cli.demonstration.timeline import Script
from nrm.domain.roles import Role
from nrm.services import identification


@dataclass(frozen=True)
class Draft:
    """How long ago it was begun, and how many of its pages are written."""

    ago: timedelta
    pages: int


DRAFTS = (
    Draft(timedelta(days=2), 6),
    Draft(timedelta(hours=5), 3),
    Draft(timedelta(minutes=40), 1),
)
_SOMEONE = Story(timedelta(), plots.flagged, "unsure", "female", 20, ("emergency_shelter",))
# Far from the numbers of the cases, so that drafts are about somebody else.
_FIRST_NUMBER = 50


def script(world: World, number: int, draft: Draft) -> Script:
    """Write the first pages, and leave."""
    responder = people.pick(world.cast.of(Role.FIRST_RESPONDER), number)
    on = (world.now - draft.ago).astimezone(world.pack.zone).date()
    pages = people.pages(world.pack, _FIRST_NUMBER + number, _SOMEONE, on)
    draft_id = identification.start_draft(responder)
    for page in list(pages)[: draft.pages]:
        yield timedelta(minutes=2)
        identification.save_page(responder, draft_id, page, pages[page])
