"""Creating and unlocking keys: the one place that reads a key file."""

from pathlib import Path
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from nrm.db import Unit, db
from nrm.domain.errors import LockedError
from nrm.models import CaseKey, FactsKey, KeyHolder, MasterKey, SealedMasterKey
from nrm.security.keyring import (
    HELD_BY,
    Holder,
    KeyFile,
    KeyFileError,
    Keyring,
    Purpose,
    create_key_file,
    new_key,
    read_key_file,
    seal_master,
    unseal_master,
)

# What this process unlocked, per database: two programs in one process share nothing.
_unlocked: WeakKeyDictionary[Engine, Keyring] = WeakKeyDictionary()

PRIMARY, ACTIVE = "primary", "active"


def unlock(key_file: Path) -> Keyring:
    """Unlock the master keys that this holder's file opens; raises KeyFileError in one line."""
    file = read_key_file(key_file)
    try:
        # Values, not a row: a row would be read anew after the rollback, and hold a connection.
        public_key = db.session.scalar(
            select(KeyHolder.public_key).where(KeyHolder.name == file.holder.value)
        )
        rows = db.session.execute(
            select(MasterKey.id, MasterKey.purpose, MasterKey.state, SealedMasterKey.sealed)
            .join(SealedMasterKey, SealedMasterKey.ring_id == MasterKey.id)
            .where(SealedMasterKey.holder == file.holder.value)
            .where(MasterKey.state.in_((PRIMARY, ACTIVE)))
        ).all()
    except SQLAlchemyError:
        raise KeyFileError("the database has no key tables yet: run nrm init") from None
    finally:
        db.session.rollback()
    if public_key is None:
        raise KeyFileError("the database has no keys yet: run nrm init")
    if public_key != file.public:
        raise KeyFileError("the key file does not belong to this database")
    masters = {
        ring_id: (Purpose(purpose), unseal_master(sealed, file, ring_id, Purpose(purpose)))
        for ring_id, purpose, _, sealed in rows
    }
    primary = {Purpose(purpose): ring_id for ring_id, purpose, state, _ in rows if state == PRIMARY}
    keyring = Keyring(file.holder, masters, primary)
    _unlocked[db.engine] = keyring
    return keyring


def keyring() -> Keyring:
    """Return what this process unlocked; raises LockedError where it unlocked nothing."""
    unlocked = _unlocked.get(db.engine)
    if unlocked is None:
        raise LockedError("no keys are unlocked")
    return unlocked


def forget() -> None:
    """Drop the unlocked keys, as a process without its key file would be."""
    _unlocked.pop(db.engine, None)


def create_keys(unit: Unit, folder: Path) -> None:
    """Make one key file per holder and the first master keys, each sealed to its holders.

    Files that are there already are used as they are, so that a broken first run can go on.
    """
    files = {holder: _key_file(folder / f"{holder}.key", holder) for holder in Holder}
    for holder, file in files.items():
        db.session.add(KeyHolder(name=holder, public_key=file.public, created_at=unit.now))
    db.session.flush()
    for purpose, holders in HELD_BY.items():
        ring = MasterKey(purpose=purpose.value, state=PRIMARY, created_at=unit.now)
        db.session.add(ring)
        # The id is part of what the sealed key is bound to.
        db.session.flush()
        master = new_key()
        for holder in holders:
            sealed = seal_master(master, files[holder].public, ring.id, purpose)
            db.session.add(SealedMasterKey(ring_id=ring.id, holder=holder, sealed=sealed))


def _key_file(path: Path, holder: Holder) -> KeyFile:
    return read_key_file(path) if path.exists() else create_key_file(path, holder)


def new_case_key(unit: Unit, owner_id: UUID) -> None:
    """Give a case or a draft a key of its own, wrapped under the CASE master key."""
    key = new_key()
    ring_id, wrapped = keyring().wrap(Purpose.CASE, owner_id, key)
    row = CaseKey(owner_id=owner_id, ring_id=ring_id, wrapped=wrapped)
    db.session.add(row)
    # Sealed rows name the key's id, which the database gives.
    db.session.flush()
    unit.data_keys[Purpose.CASE, owner_id, row.id] = key


def new_facts_key(unit: Unit, case_id: UUID) -> None:
    """Give a case its facts key, wrapped under the FACTS master key."""
    key = new_key()
    ring_id, wrapped = keyring().wrap(Purpose.FACTS, case_id, key)
    row = FactsKey(case_id=case_id, ring_id=ring_id, wrapped=wrapped)
    db.session.add(row)
    # Sealed rows name the key's id, which the database gives.
    db.session.flush()
    unit.data_keys[Purpose.FACTS, case_id, row.id] = key


def data_key(unit: Unit, purpose: Purpose, owner_id: UUID, row: CaseKey | FactsKey) -> bytes:
    """Unwrap a case's own key; it is kept no longer than this one act."""
    known = unit.data_keys.get((purpose, owner_id, row.id))
    if known is None:
        known = keyring().unwrap(purpose, owner_id, row.ring_id, row.wrapped)
        unit.data_keys[purpose, owner_id, row.id] = known
    return known


def newest_key(unit: Unit, purpose: Purpose, owner_id: UUID) -> tuple[int, bytes]:
    """Return (key id, key) of the case's newest key, under which new rows are sealed."""
    known = [
        (key_id, key)
        for (held_for, held_by, key_id), key in unit.data_keys.items()
        if (held_for, held_by) == (purpose, owner_id)
    ]
    if known:
        return max(known)
    if purpose is Purpose.FACTS:
        facts = select(FactsKey).where(FactsKey.case_id == owner_id).order_by(FactsKey.id.desc())
        row: CaseKey | FactsKey | None = db.session.scalars(facts.limit(1)).first()
    else:
        case = select(CaseKey).where(CaseKey.owner_id == owner_id).order_by(CaseKey.id.desc())
        row = db.session.scalars(case.limit(1)).first()
    if row is None:
        raise LockedError("the key is gone")
    return row.id, data_key(unit, purpose, owner_id, row)
