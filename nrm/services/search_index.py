"""The tokens that people are found by: their versions, and how a new version takes over.

Writing goes to every version that is not retired; reading to the primary one. A new version is
filled in batches while the program serves, and takes over when no case is without its tokens.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, exists, func, insert, select, update

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain import names
from nrm.domain.errors import LockedError
from nrm.domain.identifiers import IdentifierKind, plain_id_number
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Case, IdentifierToken, NameIndex, NameToken
from nrm.security.keyring import Purpose
from nrm.security.search_tokens import SearchTokens, search_tokens
from nrm.services import index_version, keys, vault
from nrm.services.audit import record
from nrm.services.index_version import BUILDING, PRIMARY, RETIRED

# So many cases or tokens in one act: whoever writes meanwhile waits for some milliseconds.
BATCH = 100
_SWEEP = 5_000
# So many batches in one round of housekeeping, which has other things to do as well.
_ROUND = 50

Identity = Mapping[str, Any]


def tokens_of(version: NameIndex) -> SearchTokens:
    """Return what makes the tokens of a version."""
    derive = partial(keys.derived_from, version.ring_id, Purpose.INDEX)
    return search_tokens(version.version, version.bits, derive)


def reading() -> NameIndex:
    """Return the version to search in; it is not taken away before the caller's act is done."""
    live = _live()
    for version in live:
        if version.state == PRIMARY:
            return version
    if not live:
        raise LockedError("there are no search tokens yet: run nrm init")
    # An installation from before there were tokens: what is made so far is found.
    return live[0]


def write(case_id: UUID, documents: Mapping[str, Identity]) -> None:
    """Write a new case's tokens in every version; `documents` are its compartments."""
    for version in _live():
        _write(version, case_id, documents)


def forget(case_id: UUID) -> None:
    """Delete a case's tokens of every version, so that no search leads to it any more."""
    for table in (NameToken, IdentifierToken):
        db.session.execute(delete(table).where(table.case_id == case_id))


def begin_version(unit: Unit) -> NameIndex:
    """Begin a new version under the primary INDEX key, with bits for the people there are now.

    Whoever is writing a case finishes first; whoever comes later writes to the new version too.
    A version that was being built is given up for this one.
    """
    _hold()
    db.session.execute(update(NameIndex).where(NameIndex.state == BUILDING).values(state=RETIRED))
    begun = index_version.add(unit, BUILDING)
    counts = {"version": begun.version, "bits": begun.bits}
    record(unit, HOUSEKEEPING, Action.INDEX_RENEW, counts=counts)
    return begun


def missing() -> int:
    """Count the cases whose tokens in the version being built are still to be made."""
    version = db.session.scalar(select(NameIndex.version).where(NameIndex.state == BUILDING))
    if version is None:
        return 0
    return db.session.scalar(_without(version).with_only_columns(func.count())) or 0


def build() -> Iterator[int]:
    """Fill the version being built, batch by batch, each an act of its own, then switch to it.

    Yields how many cases each batch did. Whoever stops or is killed between or within two
    batches loses nothing: the next call goes on.
    """
    last: UUID | None = None
    while done := _build_batch(last):
        last = done[-1]
        yield len(done)
    _switch()
    while swept := _sweep():
        del swept
        yield 0


def go_on() -> int:
    """Do one round's share of what is left of building; returns how many cases were done."""
    return sum(islice(build(), _ROUND))


def _build_batch(after: UUID | None) -> Sequence[UUID]:
    """Make the tokens of the next cases that have none."""
    with unit_of_work() as unit:
        # Two builders at once follow each other, and the second sees what the first has done.
        _hold()
        version = db.session.scalars(
            select(NameIndex)
            .where(NameIndex.state == BUILDING)
            .execution_options(populate_existing=True)
        ).one_or_none()
        if version is None:
            return []
        query = _without(version.version)
        if after is not None:
            query = query.where(Case.id > after)
        done = db.session.scalars(query.order_by(Case.id).limit(BATCH)).all()
        if done:
            damaged = _build_cases(unit, version, done)
            counts = {"cases": len(done), "damaged": damaged, "version": version.version}
            record(unit, HOUSEKEEPING, Action.INDEX_BUILD, counts=counts)
        return done


def _build_cases(unit: Unit, version: NameIndex, case_ids: Sequence[UUID]) -> int:
    """Open who these people are and write their tokens; returns how many cases do not open.

    A case that does not open gets tokens of nobody, so that it does not hold up the others.
    """
    cases = select(Case).where(Case.id.in_(case_ids))
    damaged: list[UUID] = []
    documents: dict[UUID, dict[str, Identity]] = {case_id: {} for case_id in case_ids}
    for compartment in ("identity", "contact"):
        for case, opened in vault.open_across(unit, HOUSEKEEPING, compartment, cases, damaged):
            documents[case.id][compartment] = opened
    for case_id, compartments in documents.items():
        _write(version, case_id, compartments)
    return len(set(damaged))


def _switch() -> None:
    """Let searches read the version that was built, once no case is without its tokens."""
    with unit_of_work() as unit:
        _hold()
        built = db.session.scalar(select(NameIndex.version).where(NameIndex.state == BUILDING))
        if built is None or db.session.scalar(_without(built).with_only_columns(Case.id).limit(1)):
            return
        db.session.execute(
            update(NameIndex).where(NameIndex.state == PRIMARY).values(state=RETIRED)
        )
        db.session.execute(
            update(NameIndex).where(NameIndex.version == built).values(state=PRIMARY)
        )
        record(unit, HOUSEKEEPING, Action.INDEX_SWITCH, counts={"version": built})


def _sweep() -> int:
    """Delete some tokens of a retired version; returns how many."""
    with unit_of_work() as unit:
        _hold()
        retired = select(NameIndex.version).where(NameIndex.state == RETIRED)
        for version in db.session.scalars(retired.order_by(NameIndex.version)).all():
            gone = _sweep_some(version)
            if gone:
                counts = {"version": version, "tokens": gone}
                record(unit, HOUSEKEEPING, Action.INDEX_SWITCH, purpose="remove", counts=counts)
                return gone
    return 0


def _sweep_some(version: int) -> int:
    for table in (NameToken, IdentifierToken):
        some = select(table.token).where(table.version == version).order_by(table.token)
        upto = db.session.scalars(some.limit(_SWEEP)).all()
        if upto:
            gone = delete(table).where(table.version == version, table.token <= upto[-1])
            return len(db.session.execute(gone.returning(table.version)).all())
    return 0


def _write(version: NameIndex, case_id: UUID, documents: Mapping[str, Identity]) -> None:
    tokens = tokens_of(version)
    pairs = names.pairs(names.parts(names.recorded(documents.get("identity", {}))))
    # Who has no known name or number gets tokens of nobody, so that the tables do not tell.
    found = {tokens.name(pair) for pair in pairs} or {tokens.any_name()}
    known = identifiers(documents)
    exact = [
        tokens.identifier(kind, known[kind]) if kind in known else tokens.any_identifier()
        for kind in IdentifierKind
    ]
    for table, values in ((NameToken, sorted(found)), (IdentifierToken, exact)):
        rows = [{"version": version.version, "token": one, "case_id": case_id} for one in values]
        db.session.execute(insert(table), rows)


def identifiers(documents: Mapping[str, Identity]) -> dict[IdentifierKind, str]:
    """Return what a person can be found by exactly; a telephone is kept as +250… already."""
    found = {
        IdentifierKind.ID_NUMBER: plain_id_number(
            str(documents.get("identity", {}).get("id_number", ""))
        ),
        IdentifierKind.PHONE: str(documents.get("contact", {}).get("phone", "")),
    }
    return {kind: value for kind, value in found.items() if value}


def _live() -> Sequence[NameIndex]:
    """Return the versions that are written to, and keep them so until the act is done."""
    db.session.execute(
        select(NameIndex.version).order_by(NameIndex.version).with_for_update(read=True)
    )
    # Asked once more: while it waited, another version may have been begun.
    return db.session.scalars(
        select(NameIndex)
        .where(NameIndex.state != RETIRED)
        .order_by(NameIndex.version)
        .execution_options(populate_existing=True)
    ).all()


def _hold() -> None:
    """Wait for whoever writes or reads tokens, and let nobody begin before this act is done."""
    db.session.execute(select(NameIndex.version).order_by(NameIndex.version).with_for_update())


def _without(version: int) -> Select[UUID]:
    """Select the cases that have no token of a version; an erased case needs none."""
    has = exists().where(NameToken.case_id == Case.id, NameToken.version == version)
    return select(Case.id).where(Case.erased_at.is_(None), ~has)
