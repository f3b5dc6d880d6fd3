"""Taking frozen figures out as a file: in the log before anything leaves, and again after."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from nrm.audit.actions import Action, Outcome
from nrm.country import CountryPack
from nrm.db import unit_of_work
from nrm.domain.errors import NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.services import departures, frozen, questionnaires, statistics_files
from nrm.services.frozen import Frozen
from nrm.services.statistics_files import Kind
from nrm.statistics.catalogue import Listed

# So many bytes are handed out at once.
_PART = 64 * 1024
MEDIA_TYPE = {
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.CSV: "text/csv",
    Kind.JSON: "application/json",
}


@dataclass
class File:
    """A file that is about to leave, under a name that says nothing of anybody."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
    # Whose it is, and the entry that says that it begins to leave.
    actor: Actor
    entry_id: UUID
    sent: int = 0

    def parts(self) -> Iterator[bytes]:
        """Hand it out in parts; one counts as sent when the next is asked for."""
        for place in range(0, len(self.content), _PART):
            part = self.content[place : place + _PART]
            yield part
            self.sent += len(part)

    def end(self) -> None:
        """Write how it ended: it has failed where somebody broke it off before it was whole."""
        outcome = Outcome.DONE if self.sent == len(self.content) else Outcome.FAILED
        departures.finish(self.entry_id, self.actor, outcome, counts={"bytes": self.sent})


def take_release(
    actor: Actor, release_id: UUID, kind: str, pack: CountryPack, *, number: str = ""
) -> File:
    """Hand out a frozen release, or one table of it.

    Raises NotFoundError for what there is not, and RefusedError for a release that is not frozen.
    """
    require(actor, Permission.STATISTICS_EXPORT)
    wanted = _kind(kind)
    with unit_of_work() as unit:
        found = _known(frozen.whole(release_id))
        tables = _chosen(found, number, pack.code)
        purpose = f"{wanted} {number}".strip()
        entry_id = departures.begin(
            unit, actor, Action.STATISTICS_EXPORT, frozen.subject(found), purpose=purpose
        )
    return hand_out(
        entry_id,
        actor,
        _name(found, number, wanted),
        MEDIA_TYPE[wanted],
        lambda: statistics_files.of_release(found, tables, pack, wanted),
    )


def take_questionnaire(
    actor: Actor, name: str, release_id: UUID | None, kind: str, pack: CountryPack
) -> File:
    """Hand out a questionnaire, answered from a frozen release or from the newest one.

    Raises NotFoundError for what there is not, and RefusedError for a release that is not frozen.
    """
    require(actor, Permission.STATISTICS_EXPORT)
    wanted = _kind(kind)
    with unit_of_work() as unit:
        filled = questionnaires.answered(name, release_id, pack.code)
        found = _known(filled.frozen)
        entry_id = departures.begin(
            unit,
            actor,
            Action.STATISTICS_EXPORT,
            frozen.subject(found),
            purpose=f"{wanted} {name}",
        )
    return hand_out(
        entry_id,
        actor,
        _name(found, name, wanted),
        MEDIA_TYPE[wanted],
        lambda: statistics_files.of_questionnaire(filled, found, pack, wanted),
    )


def _kind(kind: str) -> Kind:
    if kind not in set(Kind):
        raise NotFoundError(Subject("file"))
    return Kind(kind)


def _known(found: Frozen | None) -> Frozen:
    if found is None:
        raise NotFoundError(Subject("release"))
    return found


def _chosen(found: Frozen, number: str, code: str) -> list[Listed]:
    tables = [one for one in found.tables(code) if not number or one.number == number]
    if not tables:
        raise NotFoundError(Subject("table"))
    return tables


def _name(found: Frozen, what: str, kind: Kind) -> str:
    release = found.opened.release
    parts = ["statistics", found.opened.period.name, release.edition, *([what] if what else [])]
    return f"{'-'.join(parts)}.{kind}"


def hand_out(
    entry_id: UUID, actor: Actor, name: str, media_type: str, make: Callable[[], bytes]
) -> File:
    """Make the file that the log says is about to leave."""
    try:
        content = make()
    except BaseException:
        departures.finish(entry_id, actor, Outcome.FAILED)
        raise
    return File(name, media_type, content, actor, entry_id)
