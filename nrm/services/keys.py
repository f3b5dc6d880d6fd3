"""Creating and unlocking keys: the one place that reads a key file."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from nrm.db import Unit, db
from nrm.domain.errors import LockedError
from nrm.models import CaseKey, FactsKey, KeyHolder, MasterKey, SealedMasterKey
from nrm.security.keyfile import (
    PROCESSES,
    Holder,
    KeyFileError,
    Root,
    SoftwareRoot,
    create_key_file,
    read_key_file,
)
from nrm.security.keyring import HELD_BY, Keyring, Purpose, new_key, seal_master, unseal_master
from nrm.services import index_version

PRIMARY, ACTIVE = "primary", "active"
# Another process may have made a new master key: the ring is read again after so many seconds.
_LOOK_AGAIN = 30.0


@dataclass(frozen=True)
class _Unlocked:
    """A process's root, and the ring that it opened when it last looked."""

    root: Root
    keyring: Keyring
    looked_at: float


# What this process unlocked, per database: two programs in one process share nothing.
_unlocked: WeakKeyDictionary[Engine, _Unlocked] = WeakKeyDictionary()
# One thread looks at a time, and whoever waited for it has no need to look as well.
_looking = Lock()


def unlock(root: Root) -> Keyring:
    """Unlock the master keys that this holder's root opens; raises KeyFileError in one line."""
    try:
        return _look(root)
    except SQLAlchemyError:
        raise KeyFileError("the database has no key tables yet: run nrm init") from None


def keyring() -> Keyring:
    """Return what this process unlocked; raises LockedError where it unlocked nothing."""
    unlocked = _unlocked.get(db.engine)
    if unlocked is None:
        raise LockedError("no keys are unlocked")
    if time.monotonic() - unlocked.looked_at > _LOOK_AGAIN:
        return look_again()
    return unlocked.keyring


def look_again() -> Keyring:
    """Read the ring anew: another process has made a key that this one does not know yet."""
    asked_at = time.monotonic()
    with _looking:
        unlocked = _unlocked.get(db.engine)
        if unlocked is None:
            raise LockedError("no keys are unlocked")
        return unlocked.keyring if unlocked.looked_at > asked_at else _look(unlocked.root)


def forget() -> None:
    """Drop the unlocked keys, as a process without its key file would be."""
    _unlocked.pop(db.engine, None)


def _look(root: Root) -> Keyring:
    """Open the ring on a connection of its own, so that an act in progress is not disturbed."""
    looked_at = time.monotonic()
    with db.engine.connect() as connection:
        opened = _open_ring(connection, root)
    _unlocked[db.engine] = _Unlocked(root, opened, looked_at)
    return opened


def _open_ring(connection: Connection, root: Root) -> Keyring:
    public_key = connection.scalar(
        select(KeyHolder.public_key).where(KeyHolder.name == root.holder.value)
    )
    if public_key is None:
        raise KeyFileError("the database has no keys yet: run nrm init")
    if public_key != root.current_id():
        raise KeyFileError("the key file does not belong to this database")
    rows = connection.execute(
        select(MasterKey.id, MasterKey.purpose, MasterKey.state, SealedMasterKey.sealed)
        .join(SealedMasterKey, SealedMasterKey.ring_id == MasterKey.id)
        .where(SealedMasterKey.holder == root.holder.value)
        .where(MasterKey.state.in_((PRIMARY, ACTIVE)))
    ).all()
    masters = {
        ring_id: (Purpose(purpose), unseal_master(sealed, root, ring_id, Purpose(purpose)))
        for ring_id, purpose, _, sealed in rows
    }
    primary = {Purpose(purpose): ring_id for ring_id, purpose, state, _ in rows if state == PRIMARY}
    return Keyring(root.holder, masters, primary)


def create_keys(unit: Unit, folder: Path) -> int:
    """Make what is missing of key files and of master keys, and say how many keys were made.

    Files that are there already are used as they are, so that a broken first run can go on.
    """
    known = set(db.session.scalars(select(KeyHolder.name)))
    for holder in PROCESSES:
        if holder not in known:
            file = _key_file(folder / f"{holder}.key", holder)
            db.session.add(KeyHolder(name=holder, public_key=file.public, created_at=unit.now))
    db.session.flush()
    held = set(db.session.scalars(select(MasterKey.purpose).where(MasterKey.state == PRIMARY)))
    missing = [purpose for purpose in HELD_BY if purpose not in held]
    for purpose in missing:
        new_master(unit, purpose)
    index_version.first(unit)
    return len(missing)


def new_master(unit: Unit, purpose: Purpose) -> MasterKey:
    """Make a master key the primary one of its purpose, sealed to whoever is to hold it.

    Only public halves are needed, so that the web process renews the facts key for the
    statistics process whose file it has never seen.
    """
    # Whoever replaces a holder's public half meanwhile waits, or is waited for.
    db.session.execute(select(KeyHolder.name).with_for_update(read=True))
    db.session.execute(
        update(MasterKey)
        .where(MasterKey.purpose == purpose, MasterKey.state == PRIMARY)
        .values(state=ACTIVE)
    )
    ring = MasterKey(purpose=purpose.value, state=PRIMARY, created_at=unit.now)
    db.session.add(ring)
    # The id is part of what the sealed key is bound to.
    db.session.flush()
    master = new_key()
    holders = db.session.execute(
        select(KeyHolder.name, KeyHolder.public_key).where(
            KeyHolder.name.in_((*HELD_BY[purpose], Holder.RECOVERY))
        )
    )
    for name, public_key in holders.all():
        sealed = seal_master(master, public_key, ring.id, purpose)
        db.session.add(SealedMasterKey(ring_id=ring.id, holder=name, sealed=sealed))
    return ring


def primary_id(purpose: Purpose) -> int | None:
    """Name the master key under which new things of this purpose are wrapped, as the table says."""
    return db.session.scalar(
        select(MasterKey.id).where(MasterKey.purpose == purpose, MasterKey.state == PRIMARY)
    )


def ring_to_wrap(purpose: Purpose) -> Keyring:
    """Return the ring whose primary key of this purpose stays primary until the act is done.

    The share lock makes a rotation wait for this act, so that no key is wrapped behind its back.
    """
    current = select(MasterKey.id).where(MasterKey.purpose == purpose, MasterKey.state == PRIMARY)
    locked = current.with_for_update(read=True)
    # Whoever waited for a rotation finds the old key no longer primary, and asks once more.
    ring_id = db.session.scalar(locked) or db.session.scalar(locked)
    ring = keyring()
    return ring if ring.primary.get(purpose) == ring_id else look_again()


def derived_from(ring_id: int, purpose: Purpose, use: str) -> bytes:
    """Return the key for one named use of a master key, also of one made a moment ago."""
    ring = keyring() if ring_id in keyring().masters else look_again()
    return ring.derived_from(ring_id, purpose, use)


def _key_file(path: Path, holder: Holder) -> SoftwareRoot:
    return read_key_file(path) if path.exists() else create_key_file(path, holder)


def new_case_key(unit: Unit, owner_id: UUID) -> None:
    """Give a case or a draft a key of its own, wrapped under the CASE master key."""
    key = new_key()
    ring_id, wrapped = ring_to_wrap(Purpose.CASE).wrap(Purpose.CASE, owner_id, key)
    row = CaseKey(owner_id=owner_id, ring_id=ring_id, wrapped=wrapped)
    db.session.add(row)
    # Sealed rows name the key's id, which the database gives.
    db.session.flush()
    unit.data_keys[Purpose.CASE, owner_id, row.id] = key
    unit.newest[Purpose.CASE, owner_id] = row.id


def new_facts_key(unit: Unit, case_id: UUID) -> None:
    """Give a case its facts key, wrapped under the FACTS master key."""
    key = new_key()
    ring_id, wrapped = ring_to_wrap(Purpose.FACTS).wrap(Purpose.FACTS, case_id, key)
    row = FactsKey(case_id=case_id, ring_id=ring_id, wrapped=wrapped)
    db.session.add(row)
    # Sealed rows name the key's id, which the database gives.
    db.session.flush()
    unit.data_keys[Purpose.FACTS, case_id, row.id] = key
    unit.newest[Purpose.FACTS, case_id] = row.id


def data_key(unit: Unit, purpose: Purpose, owner_id: UUID, row: CaseKey | FactsKey) -> bytes:
    """Unwrap a case's own key; it is kept no longer than this one act."""
    known = unit.data_keys.get((purpose, owner_id, row.id))
    if known is None:
        ring = keyring()
        if row.ring_id not in ring.masters:
            ring = look_again()
        known = ring.unwrap(purpose, owner_id, row.ring_id, row.wrapped)
        unit.data_keys[purpose, owner_id, row.id] = known
    return known


def newest_key(unit: Unit, purpose: Purpose, owner_id: UUID) -> tuple[int, bytes]:
    """Return (key id, key) of the case's newest key, under which new rows are sealed.

    The case's key is held until the act is done, so that nobody destroys it in between and leaves
    behind a row that nothing opens. For facts too: one lock for both can never be taken crosswise.
    """
    key_id = unit.newest.get((purpose, owner_id))
    if key_id is None:
        newest = select(CaseKey).where(CaseKey.owner_id == owner_id).order_by(CaseKey.id.desc())
        shared = newest.limit(1).with_for_update(read=True, key_share=True)
        # Whoever waited while the case was keyed anew finds the old key gone, and asks once more.
        row: CaseKey | FactsKey | None = (
            db.session.scalars(shared).first() or db.session.scalars(shared).first()
        )
        if purpose is Purpose.FACTS:
            facts = select(FactsKey).where(FactsKey.case_id == owner_id)
            row = db.session.scalars(facts.order_by(FactsKey.id.desc()).limit(1)).first()
        if row is None:
            raise LockedError("the key is gone")
        data_key(unit, purpose, owner_id, row)
        key_id = unit.newest[purpose, owner_id] = row.id
    return key_id, unit.data_keys[purpose, owner_id, key_id]


def held_keys(case_id: UUID) -> Sequence[CaseKey]:
    """Hold a case's keys before they are replaced or destroyed; none where it has none.

    Whoever is sealing into the case is waited for, and whoever comes later waits.
    """
    held = select(CaseKey).where(CaseKey.owner_id == case_id).order_by(CaseKey.id)
    # Whoever waited while the case was keyed anew finds the old key gone, and asks once more.
    return (
        db.session.scalars(held.with_for_update()).all()
        or db.session.scalars(held.with_for_update()).all()
    )
