"""Frozen releases, whole: what questionnaires and files are made from, and nothing else is."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from nrm.domain.errors import NOTHING, NotFoundError, RefusedError, Subject
from nrm.domain.lifecycle import ReleaseState
from nrm.domain.text import N_
from nrm.services import figures, releases, statistics
from nrm.services.figures import Kept
from nrm.services.releases import Opened
from nrm.statistics.catalogue import Counts, Listed


@dataclass(frozen=True)
class Frozen:
    """A frozen release with all of its figures."""

    opened: Opened
    kept: Kept
    # The SHA-256 over every figure, as it stands in the log since the release was frozen.
    digest: str
    # Every frozen release, the newest first.
    every: Sequence[Opened]

    def tables(self, code: str) -> list[Listed]:
        """List the tables that are part of it."""
        return [one for one in figures.listed(code).values() if self.kept.has(one)]


def whole(release_id: UUID | None) -> Frozen | None:
    """Read a frozen release, or the newest one, within the caller's act; nothing if there is none.

    Raises NotFoundError for a release that there is not, and RefusedError for one that is not
    frozen: before two people have signed it, nobody outside is told of it.
    """
    known = releases.opened()
    every = [one for one in known if one.release.state is ReleaseState.FROZEN]
    wanted = every[:1]
    if release_id is not None:
        wanted = [one for one in known if one.release.id == release_id]
        if not wanted:
            raise NotFoundError(Subject("release"))
        refuse_open(wanted[0])
    if not wanted:
        return None
    release = wanted[0].release
    kept = Kept(release, {counts: statistics.figures_of(release.id, counts) for counts in Counts})
    return Frozen(wanted[0], kept, statistics.content_hash(release.id), every)


def refuse_open(opened: Opened) -> None:
    """Refuse to hand out what is not frozen; raises RefusedError."""
    if opened.release.state is not ReleaseState.FROZEN:
        raise RefusedError(
            N_("Only a release that two people signed, and that is frozen, is handed out."),
            subject=opened.standing.subject,
        )


def subject(found: Frozen | None) -> Subject:
    """Say what an entry of the log is about."""
    return found.opened.standing.subject if found else NOTHING
