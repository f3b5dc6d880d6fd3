"""Finding people by name or by an exact identifier: tokens, then candidates opened and ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import phonenumbers
from sqlalchemy import Select, SelectBase, select

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain import names
from nrm.domain.errors import InvalidInputError
from nrm.domain.identifiers import IdentifierKind, plain_id_number
from nrm.domain.likeness import Likeness, Reason, asked, likeness
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.models import Case, IdentifierToken, NameIndex, NameToken
from nrm.security.search_tokens import query_fingerprint
from nrm.services import keys, search_index, vault, visibility
from nrm.services.audit import record

__all__ = ["Found", "Match", "Reason", "find", "like_this"]

LONGEST_NAMES = 200
MOST_NAMES = 8
LONGEST_IDENTIFIER = 60
_SHORTEST = 2
_SAME = Likeness(1.0, Reason.SAME_IDENTIFIER)


class Match(NamedTuple):
    """A file whose person is like the one searched for."""

    case_id: UUID
    reference: str
    # As recorded: given name, family name, other names.
    names: str
    # ISO date, or empty where it is not known.
    birth_date: str
    flagged_at: datetime
    closed: bool
    reason: Reason
    # From 0 to 1; the same identifier counts as 1.
    likeness: float


@dataclass(frozen=True)
class Found:
    """What a search found, most alike first, and how many files were opened to answer it."""

    matches: Sequence[Match]
    opened: int
    # Files that may be the person's and do not open; whoever asks must know that there are some.
    damaged: int
    # Whether one single name was searched for: then only files with one known name are found.
    one_name: bool


def find(actor: Actor, typed: str, identifier: str, pack: CountryPack) -> Found:
    """Search by names, by an exact identifier (paper or telephone), or by both.

    Raises InvalidInputError("names" or "identifier", …) where there is nothing to search by.
    """
    require(actor, Permission.PERSON_SEARCH)
    parts = _parts(typed)
    exact = _exact(identifier, pack)
    if not parts and not exact:
        raise InvalidInputError("names", N_("Enter a name, or the number of a paper or telephone."))
    with unit_of_work() as unit:
        version = search_index.reading()
        by_identifier = _with_identifier(version, exact)
        same = frozenset(db.session.scalars(by_identifier)) if exact else frozenset()
        by_names = _with_names(version, parts)
        wanted = by_names.union_all(by_identifier) if exact else by_names
        candidates = _candidates(actor, Permission.CASE_VIEW, wanted)
        damaged: list[UUID] = []
        opened = vault.open_across(unit, actor, "identity", candidates, damaged)
        matches = _ranked(opened, parts, same)
        counts = {"candidates": len(opened), "damaged": len(damaged), "shown": len(matches)}
        record(unit, actor, Action.PERSON_SEARCH, purpose=_asked(parts, exact), counts=counts)
    return Found(matches, len(opened), len(damaged), one_name=len(parts) == 1)


def like_this(unit: Unit, actor: Actor, case_id: UUID) -> list[Match]:
    """Find the other files of perhaps the same person, within the caller's act.

    The caller records the act (CASE_COMPARE): the identities opened are named in its entry.
    """
    cases = visibility.visible_cases(actor, Permission.CASE_COMPARE)
    [(_, identity)] = vault.open_across(unit, actor, "identity", cases.where(Case.id == case_id))
    parts = names.parts(names.recorded(identity))
    version = search_index.reading()
    by_identifier = _sharing_identifier(version, case_id)
    same = frozenset(db.session.scalars(by_identifier))
    wanted = _with_names(version, parts).union_all(by_identifier)
    others = _candidates(actor, Permission.CASE_COMPARE, wanted).where(Case.id != case_id)
    return _ranked(vault.open_across(unit, actor, "identity", others, []), parts, same)


def _parts(typed: str) -> list[str]:
    if len(typed) > LONGEST_NAMES:
        raise InvalidInputError("names", N_("This is too long. Enter the names alone."))
    parts = names.parts(typed)
    if typed.strip() and sum(map(len, parts)) < _SHORTEST:
        raise InvalidInputError("names", N_("Enter at least two letters of a name."))
    if len(parts) > MOST_NAMES:
        raise InvalidInputError("names", N_("Enter no more than eight names."))
    return parts


def _exact(typed: str, pack: CountryPack) -> dict[IdentifierKind, str]:
    """Read an identifier as what it may be: of a paper, and a telephone number if it is one."""
    if not typed.strip():
        return {}
    number = plain_id_number(typed)
    if len(typed) > LONGEST_IDENTIFIER or len(number) < _SHORTEST:
        message = N_("Enter the number as it stands on the paper, or a telephone number.")
        raise InvalidInputError("identifier", message)
    found = {IdentifierKind.ID_NUMBER: number}
    if not any(sign.isalpha() for sign in typed):
        try:
            dialled = phonenumbers.parse(typed, pack.code.upper())
        except phonenumbers.NumberParseException:
            return found
        written = phonenumbers.format_number(dialled, phonenumbers.PhoneNumberFormat.E164)
        found[IdentifierKind.PHONE] = written
    return found


def _asked(parts: Sequence[str], exact: Mapping[IdentifierKind, str]) -> str:
    text = "\n".join([" ".join(sorted(parts)), *sorted(exact.values())])
    return query_fingerprint(keys.keyring(), text)


def _with_identifier(version: NameIndex, exact: Mapping[IdentifierKind, str]) -> Select[UUID]:
    """Select the cases with an identifier by its full hash: no file is opened to be sure."""
    tokens = search_index.tokens_of(version)
    wanted = [tokens.identifier(kind, value) for kind, value in exact.items()]
    return select(IdentifierToken.case_id).where(
        IdentifierToken.version == version.version, IdentifierToken.token.in_(wanted)
    )


def _sharing_identifier(version: NameIndex, case_id: UUID) -> Select[UUID]:
    """Select the other cases with an identifier of this one."""
    own = select(IdentifierToken.token).where(
        IdentifierToken.case_id == case_id, IdentifierToken.version == version.version
    )
    return select(IdentifierToken.case_id).where(
        IdentifierToken.version == version.version,
        IdentifierToken.token.in_(own),
        IdentifierToken.case_id != case_id,
    )


def _with_names(version: NameIndex, parts: Sequence[str]) -> Select[UUID]:
    """Select the cases that share a token with these names, or with a slip of them."""
    tokens = search_index.tokens_of(version)
    wanted = {*names.pairs(parts), *names.near(parts)} if parts else set()
    return select(NameToken.case_id).where(
        NameToken.version == version.version,
        NameToken.token.in_(sorted({tokens.name(pair) for pair in wanted})),
    )


def _candidates(actor: Actor, permission: Permission, wanted: SelectBase) -> Select[Case]:
    """Select what the actor may see of the wanted cases: the rest is not even counted."""
    return visibility.visible_cases(actor, permission).where(
        Case.erased_at.is_(None), Case.id.in_(wanted)
    )


def _ranked(
    opened: Sequence[tuple[vault.CaseRow, Mapping[str, Any]]],
    parts: Sequence[str],
    same: frozenset[UUID],
) -> list[Match]:
    """Rank those that are alike, however many they are."""
    matches, wanted = [], asked(parts)
    # Of a very common name thousands are written alike: each writing is compared once.
    compared: dict[str, Likeness | None] = {}
    for case, identity in opened:
        recorded = names.recorded(identity)
        if recorded not in compared:
            compared[recorded] = likeness(wanted, names.parts(recorded))
        alike = _SAME if case.id in same else compared[recorded]
        if alike is not None:
            matches.append(_match(case, identity, recorded, alike))
    matches.sort(key=lambda match: (-match.likeness, match.flagged_at, match.reference))
    return matches


def _match(
    case: vault.CaseRow, identity: Mapping[str, Any], recorded: str, alike: Likeness
) -> Match:
    return Match(
        case.id,
        case.reference,
        recorded,
        str(identity.get("birth_date", "")),
        case.flagged_at,
        case.closed_at is not None,
        alike.reason,
        alike.score,
    )
