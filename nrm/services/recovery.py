"""The recovery copy of the keys: made, tried out, and used when the key files are lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Mapped

from nrm.audit.actions import Action, Outcome
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import LockedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry, CaseKey, FactsKey, KeyHolder, MasterKey, SealedMasterKey
from nrm.security.keyfile import PROCESSES, Holder, KeyFileError, Root, create_key_file
from nrm.security.keyring import HELD_BY, Keyring, Purpose, seal_master, unseal_master
from nrm.security.recovery import Sheets, SheetsError, mark, new_sheets
from nrm.services.audit import record
from nrm.services.keys import ACTIVE, PRIMARY

# How many keys of cases, and as many of facts, a drill tries: enough to find a broken copy.
_TRIED = 1_000

_Masters = dict[int, tuple[Purpose, bytes]]


@dataclass(frozen=True)
class State:
    """Whether the keys could come back: the sheets' mark, when made, when last proved to work."""

    mark: str = ""
    made_at: datetime | None = None
    proved_at: datetime | None = None


@dataclass(frozen=True)
class Drill:
    """What the custodians' sheets opened, without touching anything."""

    master_keys: int
    tried: int
    data_keys: int


def state() -> State:
    """Say since when there is a recovery copy, and when its sheets were last proved to work."""
    holder = db.session.get(KeyHolder, Holder.RECOVERY.value)
    if holder is None:
        return State()
    proved_at = db.session.scalar(
        select(func.max(AuditEntry.occurred_at)).where(
            AuditEntry.action.in_((Action.KEY_DRILL, Action.KEY_RECOVER)),
            AuditEntry.outcome == Outcome.DONE,
            # A drill with sheets that were replaced since says nothing of today's.
            AuditEntry.occurred_at >= holder.created_at,
        )
    )
    return State(mark(holder.public_key), holder.created_at, proved_at)


def make_copy(unit: Unit, roots: Iterable[Root]) -> Sheets:
    """Make a new set of sheets that opens every master key; an older set opens none any more.

    The roots are whatever can open today's master keys: key files, or the older set of sheets.
    """
    _hold_holders()
    masters = _masters(roots)
    sheets = new_sheets()
    _install(unit, Holder.RECOVERY, sheets.public, masters)
    return sheets


def recover(root: Root, folder: Path) -> int:
    """Make new key files for every process and close the old ones out; returns how many keys.

    Needs none of the old files. One transaction: a recovery that fails has changed nothing.
    """
    refuse_taken(folder)
    made: list[Path] = []
    try:
        with unit_of_work() as unit:
            _hold_holders()
            masters = _recovered(root)
            for holder in PROCESSES:
                path = _key_file(folder, holder)
                public = create_key_file(path, holder).current_id()
                made.append(path)
                _install(unit, holder, public, masters)
            record(unit, HOUSEKEEPING, Action.KEY_RECOVER)
    except BaseException:
        for path in made:
            path.unlink()
        raise
    return len(masters)


def refuse_taken(folder: Path) -> None:
    """Refuse a folder where a key file lies: a recovery never overwrites one."""
    for path in (_key_file(folder, holder) for holder in PROCESSES):
        if path.exists():
            raise KeyFileError(f"{path} is there already: say another folder, or move it away")


def _key_file(folder: Path, holder: Holder) -> Path:
    return folder / f"{holder}.key"


def drill(root: Root) -> Drill:
    """Prove that the sheets would bring the keys back: all master keys, and a sample of the rest.

    Nothing is changed but the log, and no key file is needed; what was opened is forgotten.
    """
    with unit_of_work() as unit:
        masters = _recovered(root)
        ring = Keyring(root.holder, masters, {})
        tried = _try(ring, Purpose.CASE, CaseKey, CaseKey.owner_id)
        tried += _try(ring, Purpose.FACTS, FactsKey, FactsKey.case_id)
        record(unit, HOUSEKEEPING, Action.KEY_DRILL)
        return Drill(len(masters), tried, _count(CaseKey) + _count(FactsKey))


def _recovered(root: Root) -> _Masters:
    """Open every master key with the sheets' root, once it is known to be this database's."""
    refuse_other_sheets(root)
    try:
        return _masters([root])
    except KeyFileError:
        raise LockedError(
            "the recovery copy in the database is damaged: nrm key shares --from-key-files"
        ) from None


def refuse_other_sheets(root: Root) -> None:
    """Refuse the sheets of another system, or of an older set; says both marks."""
    wanted, theirs = wanted_mark(), mark(root.current_id())
    if theirs != wanted:
        raise SheetsError(
            f"these sheets have the mark {theirs}, and those of this database have {wanted}"
        )


def wanted_mark() -> str:
    """Say the mark of the sheets that open this database; refuses where it has none."""
    holder = db.session.get(KeyHolder, Holder.RECOVERY.value)
    if holder is None:
        raise SheetsError("this database has no recovery sheets: nrm init makes them")
    return mark(holder.public_key)


def _masters(roots: Iterable[Root]) -> _Masters:
    """Open every master key that is in use with the first root that can."""
    in_use = MasterKey.state.in_((PRIMARY, ACTIVE))
    # Held, so that no key is destroyed while a copy of it is made.
    held = select(MasterKey.id, MasterKey.purpose).where(in_use).with_for_update(read=True)
    rings = db.session.execute(held)
    closed = {ring_id: Purpose(purpose) for ring_id, purpose in rings}
    sealed = db.session.scalars(select(SealedMasterKey)).all()
    opened: _Masters = {}
    for root in roots:
        for row in sealed:
            if row.holder == root.holder and row.ring_id in closed:
                purpose = closed.pop(row.ring_id)
                master = unseal_master(row.sealed, root, row.ring_id, purpose)
                opened[row.ring_id] = purpose, master
        if not closed:
            break
    for ring_id, purpose in closed.items():
        files = " or ".join(f"{holder}.key" for holder in HELD_BY[purpose])
        raise LockedError(f"the {purpose} key {ring_id} opens only with {files}")
    return opened


def _install(unit: Unit, name: Holder, public: bytes, masters: _Masters) -> None:
    """Let a holder open, from now on with this public half, what it is to hold."""
    holder = db.session.get(KeyHolder, name.value)
    if holder is None:
        db.session.add(KeyHolder(name=name.value, public_key=public, created_at=unit.now))
    else:
        holder.public_key, holder.created_at = public, unit.now
    db.session.flush()
    db.session.execute(delete(SealedMasterKey).where(SealedMasterKey.holder == name))
    rows = [
        {
            "ring_id": ring_id,
            "holder": name.value,
            "sealed": seal_master(master, public, ring_id, purpose),
        }
        for ring_id, (purpose, master) in masters.items()
        if name in (*HELD_BY[purpose], Holder.RECOVERY)
    ]
    if rows:
        db.session.execute(insert(SealedMasterKey), rows)


def _hold_holders() -> None:
    """Let no master key be made for a public half that is being replaced."""
    db.session.execute(select(KeyHolder.name).with_for_update())


def _try(
    ring: Keyring, purpose: Purpose, table: type[CaseKey | FactsKey], owner: Mapped[UUID]
) -> int:
    """Unwrap all the keys of cases, or as many as tell that they would all unwrap."""
    some = select(owner, table.ring_id, table.wrapped).order_by(func.random()).limit(_TRIED)
    rows = db.session.execute(some).all()
    for owner_id, ring_id, wrapped in rows:
        ring.unwrap(purpose, owner_id, ring_id, wrapped)
    return len(rows)


def _count(table: type[CaseKey | FactsKey]) -> int:
    return db.session.execute(select(func.count()).select_from(table)).scalar_one()
