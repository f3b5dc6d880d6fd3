"""The bulletin of a release: read as a page, or taken out as a PDF, which the log holds twice."""

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from uuid import UUID

import typst

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import unit_of_work
from nrm.domain.errors import NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.vocabulary import RELEASE_EDITION
from nrm.services import departures, figures, frozen
from nrm.services.figures import HISTORY, Shown
from nrm.services.statistics_export import File, hand_out
from nrm.statistics import bulletin
from nrm.statistics.bulletin import Bulletin, Counted, Published, Voice
from nrm.statistics.pictures import Ground


@dataclass(frozen=True)
class Reader:
    """For whom a bulletin is written: how it speaks, of where, and whether all is for practice."""

    voice: Voice
    ground: Ground
    # As a two-letter code.
    language: str
    practice: bool


def read(actor: Actor, release_id: UUID, pack: CountryPack, reader: Reader) -> Bulletin:
    """Read a whole release as its bulletin; raises NotFoundError where it is not counted yet."""
    shown = figures.read(actor, release_id, (), pack.code, history=HISTORY, as_frozen=True)
    return bulletin.make(_published(_found(shown), pack, reader), reader.voice)


def take_out(actor: Actor, release_id: UUID, pack: CountryPack, reader: Reader) -> File:
    """Hand the bulletin out as a PDF, once the log says that this begins.

    Raises NotFoundError where the release is not counted yet, and RefusedError where it is not
    frozen: a draft is read by those who sign it, and nothing of it leaves.
    """
    require(actor, Permission.STATISTICS_EXPORT)
    with unit_of_work() as unit:
        found = figures.fetch(release_id, (), pack.code, history=HISTORY, as_frozen=True)
        shown = _found(found)
        frozen.refuse_open(shown.opened)
        subject = shown.opened.standing.subject
        entry_id = departures.begin(
            unit, actor, Action.STATISTICS_EXPORT, subject, purpose="pdf bulletin"
        )
    return hand_out(
        entry_id, actor, _name(shown), "application/pdf", lambda: _pdf(shown, pack, reader)
    )


def _name(shown: Shown) -> str:
    release = shown.opened.release
    return f"bulletin-{shown.opened.period.name}-{release.edition}.pdf"


def _found(shown: Shown | None) -> Shown:
    if shown is None:
        raise NotFoundError(Subject("release"))
    return shown


def _pdf(shown: Shown, pack: CountryPack, reader: Reader) -> bytes:
    """Set the bulletin of a release; the same release is the same bytes, whenever it is set."""
    made = bulletin.make(_published(shown, pack, reader), reader.voice)
    release = shown.opened.release
    moment = release.frozen_at or release.asked_at
    return typst.compile(
        files(bulletin).joinpath("bulletin.typ").read_bytes(),
        font_paths=_letters(),
        format="pdf",
        sys_inputs={"bulletin": json.dumps({**asdict(made), "language": reader.language})},
        pdf_standards=["ua-1"],
        timestamp=int(moment.timestamp()),
    )


@cache
def _letters() -> typst.Fonts:
    """Take the letters that Typst brings along, and no others: a machine's own would differ."""
    return typst.Fonts(include_system_fonts=False)


def _published(shown: Shown, pack: CountryPack, reader: Reader) -> Published:
    release = shown.opened.release
    frozen_at = release.frozen_at
    return Published(
        period=shown.opened.period,
        figures=shown.kept.figures,
        ground=reader.ground,
        edition=RELEASE_EDITION.label(release.edition),
        frozen_on=frozen_at.astimezone(pack.zone).date() if frozen_at else None,
        tables=shown.tables,
        missing=[one for one in figures.listed(pack.code).values() if not shown.kept.has(one)],
        before=[Counted(kept.period, kept.figures) for kept in shown.before],
        practice=reader.practice,
    )
