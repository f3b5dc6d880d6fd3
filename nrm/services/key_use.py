"""Which master key is still needed, and by how much: asked before one is destroyed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, Select, SQLColumnExpression, func, select

from nrm.db import db
from nrm.models import (
    Approval,
    AuditEntry,
    AuthSession,
    CaseKey,
    FactsKey,
    MasterKey,
    NameIndex,
    RecoveryCode,
    SealedMasterKey,
    SecondFactor,
)
from nrm.security.keyring import Purpose

RETIRED = "retired"

# What a key of each purpose is needed for, said of one and of many. The keys of the other
# purposes open nothing that is stored.
USERS: Mapping[Purpose, tuple[str, str]] = {
    Purpose.CASE: ("case key", "case keys"),
    Purpose.FACTOR: ("second factor", "second factors"),
    Purpose.FACTS: ("facts key", "facts keys"),
    Purpose.INDEX: ("search index", "search indexes"),
    Purpose.LOG: ("log entry", "log entries"),
    Purpose.SESSION: ("sitting", "sittings"),
    Purpose.FORM: ("request for approval", "requests for approval"),
}


# The columns whose sealed values bear the id of their key in clear.
_SEALED: Mapping[Purpose, tuple[SQLColumnExpression[Any], ...]] = {
    Purpose.FACTOR: (SecondFactor.seed, RecoveryCode.sealed_hash),
    Purpose.FORM: (Approval.wanted,),
    Purpose.LOG: (AuditEntry.detail,),
    Purpose.SESSION: (AuthSession.data,),
}


@dataclass(frozen=True)
class Standing:
    """One master key: how it stands, who holds it, and how many rows still need it."""

    ring_id: int
    purpose: Purpose
    state: str
    created_at: datetime
    holders: Sequence[str]
    users: int


def standings() -> list[Standing]:
    """List every master key there ever was, by purpose, the newest first."""
    holders: dict[int, list[str]] = {}
    rows = select(SealedMasterKey.ring_id, SealedMasterKey.holder)
    for ring_id, holder in db.session.execute(rows.order_by(SealedMasterKey.holder)):
        holders.setdefault(ring_id, []).append(holder)
    needed = {purpose: users(purpose) for purpose in USERS}
    order = list(Purpose)
    return sorted(
        (
            Standing(
                ring.id,
                Purpose(ring.purpose),
                ring.state,
                ring.created_at,
                holders.get(ring.id, ()),
                needed.get(Purpose(ring.purpose), {}).get(ring.id, 0),
            )
            for ring in db.session.scalars(select(MasterKey))
        ),
        key=lambda one: (order.index(one.purpose), -one.ring_id),
    )


def users(purpose: Purpose) -> Mapping[int, int]:
    """Count by master key what is still wrapped, hashed or sealed under it."""
    if purpose in _SEALED:
        return _named(*_SEALED[purpose])
    if purpose is Purpose.CASE:
        return _counted(select(CaseKey.ring_id, func.count()).group_by(CaseKey.ring_id))
    if purpose is Purpose.FACTS:
        return _counted(select(FactsKey.ring_id, func.count()).group_by(FactsKey.ring_id))
    if purpose is Purpose.INDEX:
        in_use = select(NameIndex.ring_id, func.count()).where(NameIndex.state != RETIRED)
        return _counted(in_use.group_by(NameIndex.ring_id))
    return {}


def index_versions() -> Sequence[NameIndex]:
    """List the versions of the search index that still have tokens."""
    return db.session.scalars(
        select(NameIndex).where(NameIndex.state != RETIRED).order_by(NameIndex.version)
    ).all()


def words(purpose: Purpose, number: int) -> str:
    """Say a number of what needs keys of this purpose."""
    one, many = USERS[purpose]
    return f"{number:,} {one if number == 1 else many}".replace(",", " ")


def _counted(query: Select[int, int]) -> dict[int, int]:
    return dict(db.session.execute(query).all())


def _named(*columns: SQLColumnExpression[Any]) -> dict[int, int]:
    """Count sealed values by the key id that each of them bears in clear, after its first byte."""
    found: Counter[int] = Counter()
    for column in columns:
        bears = func.substr(column, 2, 4, type_=LargeBinary).label("bears")
        rows = db.session.execute(
            select(bears, func.count()).where(column.is_not(None)).group_by("bears")
        )
        for key_id, number in rows:
            found[int.from_bytes(key_id)] += number
    return found
