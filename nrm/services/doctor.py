"""Whether all is well with the keys and the log: small questions, each with a plain answer."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import select

from nrm.audit.verify import UnreadableError
from nrm.db import db
from nrm.domain.errors import LockedError
from nrm.domain.planner import wants_new_bits
from nrm.models import KeyHolder, MasterKey, SealedMasterKey
from nrm.security.keyfile import PROCESSES, Holder, KeyFileError, Root
from nrm.security.keyring import HELD_BY, Keyring, Purpose, unseal_master
from nrm.services import index_version, key_use, keys, log_keeping, recovery, rotation
from nrm.services.rotation import WRAPPED

# How many keys are in memory at once while all of them are tried.
_BATCH = 1_000
# Sheets fade, envelopes get lost, custodians leave: once a year somebody looks.
_DRILL_LASTS = timedelta(days=366)
# A signer that looks every minute is hardly ever later than this.
_SIGNED_IN = timedelta(minutes=10)


class Health(StrEnum):
    """How a question was answered."""

    OK = "ok"
    LOOK = "look at this"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """One answer, in one line."""

    health: Health
    words: str


@dataclass(frozen=True)
class Installation:
    """What the database does not tell: where the keys lie, and for whom it all is."""

    keys_folder: Path
    practice: bool
    # Reads this process's own root; raises KeyFileError in one line.
    open_root: Callable[[], Root]


_Check: TypeAlias = Callable[[Installation], Iterator[Finding]]
_RootCheck: TypeAlias = Callable[[Root], Iterator[Finding]]


def examine(at: Installation) -> Iterator[Finding]:
    """Ask every question; without this process's own key, those that need none."""
    try:
        root = at.open_root()
    except KeyFileError as error:
        yield Finding(Health.BROKEN, str(error))
    else:
        yield Finding(Health.OK, f"the key of {root.holder} is at hand")
        for ask_with_root in WITH_ROOT:
            yield from ask_with_root(root)
    for ask in WITHOUT_ROOT:
        yield from ask(at)


def _master_keys(root: Root) -> Iterator[Finding]:
    """Every master key that is sealed to this process opens."""
    holder = db.session.get(KeyHolder, root.holder.value)
    if holder is None or holder.public_key != root.current_id():
        yield Finding(Health.BROKEN, "the key file does not belong to this database")
        return
    rows = db.session.execute(
        select(MasterKey.id, MasterKey.purpose, SealedMasterKey.sealed)
        .join(SealedMasterKey, SealedMasterKey.ring_id == MasterKey.id)
        .where(SealedMasterKey.holder == root.holder.value, MasterKey.state != key_use.RETIRED)
        .order_by(MasterKey.id)
    ).all()
    damaged = [
        f"{purpose} key {ring_id}"
        for ring_id, purpose, sealed in rows
        if not _opens(root, ring_id, Purpose(purpose), sealed)
    ]
    if damaged:
        yield Finding(Health.BROKEN, f"damaged, and opens no more: {', '.join(damaged)}")
    else:
        yield Finding(Health.OK, f"all {len(rows)} master keys of {root.holder} open")


def _opens(root: Root, ring_id: int, purpose: Purpose, sealed: bytes) -> bool:
    try:
        unseal_master(sealed, root, ring_id, purpose)
    except KeyFileError:
        return False
    return True


def _data_keys(root: Root) -> Iterator[Finding]:
    """Every key of a case opens under a master key of the ring."""
    try:
        ring = keys.unlock(root)
    except KeyFileError:
        # Said by the question before.
        return
    for purpose in WRAPPED:
        if purpose in ring.primary:
            yield _tried(ring, purpose)


def _tried(ring: Keyring, purpose: Purpose) -> Finding:
    """Unwrap every key of a purpose, some at a time, and hold nothing in between."""
    table, owner = WRAPPED[purpose]
    columns = (table.c.id, table.c[owner], table.c.ring_id, table.c.wrapped)
    tried = closed = last = first = 0
    query = select(*columns).order_by(table.c.id).limit(_BATCH)
    while rows := db.session.execute(query.where(table.c.id > last)).all():
        for key_id, owner_id, ring_id, wrapped in rows:
            try:
                ring.unwrap(purpose, owner_id, ring_id, wrapped)
            except LockedError:
                closed, first = closed + 1, first or key_id
        tried, last = tried + len(rows), rows[-1][0]
        db.session.rollback()
    if closed:
        said = key_use.words(purpose, tried)
        return Finding(Health.BROKEN, f"{closed} of {said} do not open, the first is {first}")
    return Finding(Health.OK, f"{key_use.words(purpose, tried)} tried, and all of them open")


def _ring(at: Installation) -> Iterator[Finding]:
    """Every purpose has its primary key, and every key is sealed to whoever is to hold it."""
    del at
    held = [one for one in key_use.standings() if one.state != key_use.RETIRED]
    primary = {one.purpose for one in held if one.state == keys.PRIMARY}
    if lacking := [purpose for purpose in HELD_BY if purpose not in primary]:
        yield Finding(Health.BROKEN, f"no key for {', '.join(lacking)}: run nrm init")
    copied = db.session.get(KeyHolder, Holder.RECOVERY.value) is not None
    for one in held:
        due = {*HELD_BY[one.purpose], *([Holder.RECOVERY] if copied else [])}
        if lacks := sorted(due - set(one.holders)):
            words = f"{one.purpose} key {one.ring_id} is not sealed to {', '.join(lacks)}"
            yield Finding(Health.BROKEN, words)


def _separated(at: Installation) -> Iterator[Finding]:
    """No other process's key file can be read from here."""
    readable = [
        holder for holder in PROCESSES if os.access(at.keys_folder / f"{holder}.key", os.R_OK)
    ]
    if len(readable) <= 1:
        files = "one key file" if readable else "no key file here"
        yield Finding(Health.OK, f"keys are separated: this user can read {files}")
        return
    words = f"keys are not separated: one user can read the key files of {', '.join(readable)}"
    if at.practice:
        words += " (as in every demonstration)"
    yield Finding(Health.LOOK, words)


def _recovery(at: Installation) -> Iterator[Finding]:
    """If every key file were lost, the keys could come back; and somebody has tried it."""
    state = recovery.state()
    if state.made_at is None:
        yield Finding(Health.LOOK, "there is no recovery copy of the keys: nrm init makes one")
        return
    made = f"the recovery copy {state.mark} was made on {state.made_at:%Y-%m-%d}"
    if state.proved_at is None:
        yield Finding(Health.LOOK, f"{made} and was never tried: nrm key drill")
    elif datetime.now(UTC) - state.proved_at > _DRILL_LASTS:
        words = f"{made} and was last tried on {state.proved_at:%Y-%m-%d}: nrm key drill"
        yield Finding(Health.LOOK, words)
    else:
        yield Finding(Health.OK, f"{made} and tried on {state.proved_at:%Y-%m-%d}")
    sheets = at.keys_folder / "recovery"
    if sheets.is_dir() and any(sheets.iterdir()):
        words = f"the custodians' sheets still lie in {sheets}: print them, then delete them"
        yield Finding(Health.LOOK, words)


def _rotations(at: Installation) -> Iterator[Finding]:
    """No rotation was left unfinished."""
    del at
    unfinished = {purpose: rotation.unfinished(purpose) for purpose in Purpose}
    for purpose, yes in unfinished.items():
        if yes:
            words = f"rotating {purpose} is not finished: nrm key rotate {purpose} --resume"
            yield Finding(Health.LOOK, words)
    if not any(unfinished.values()):
        yield Finding(Health.OK, "no rotation is under way")


def _index_bits(at: Installation) -> Iterator[Finding]:
    """There are about as many people as the search index was made for."""
    del at
    people = index_version.people()
    for version in key_use.index_versions():
        if version.state != keys.PRIMARY:
            continue
        words = f"the search index keeps {version.bits} bits of a name, for {people} people"
        if wants_new_bits(people, version.bits):
            yield Finding(Health.LOOK, f"{words}: nrm key rotate index chooses anew")
        else:
            yield Finding(Health.OK, words)


def _log(at: Installation) -> Iterator[Finding]:
    """Whatever is written in the log is signed soon after."""
    del at
    try:
        standing = log_keeping.standing()
    except UnreadableError as error:
        yield Finding(Health.BROKEN, f"{error}: run nrm audit verify")
        return
    if standing.signed is None:
        words = "the log was never signed: run nrm tick with the signer's key"
        yield Finding(Health.LOOK, words)
    elif standing.waits_since is not None and datetime.now(UTC) - standing.waits_since > _SIGNED_IN:
        since = f"since {standing.waits_since:%Y-%m-%d %H:%M} UTC"
        words = f"entries of the log wait to be signed {since}: run nrm tick with the signer's key"
        yield Finding(Health.LOOK, words)
    else:
        words = f"{standing.signed.size} entries of the log are signed, the last checkpoint is of "
        yield Finding(Health.OK, f"{words}{standing.signed.time:%Y-%m-%d %H:%M} UTC")


WITH_ROOT: tuple[_RootCheck, ...] = (_master_keys, _data_keys)
WITHOUT_ROOT: tuple[_Check, ...] = (_ring, _separated, _recovery, _rotations, _index_bits, _log)
