"""Witnesses: other institutions that cosign the log's checkpoints, and what they are sent.

A witness signs a checkpoint only after it has held it against the last one that it signed. As long
as one witness is honest, nobody can show one log to some and another one to others.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import func, select

from nrm.audit import checkpoint as notes
from nrm.audit.actions import Action
from nrm.audit.verify import (
    COSIGNED,
    Checkpoint,
    NotAsSignedError,
    Signature,
    UnreadableError,
    VerifierKey,
    check,
    read_checkpoint,
    read_key,
    read_signature,
)
from nrm.db import db, unit_of_work
from nrm.domain.errors import RefusedError, Subject
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditCheckpoint, AuditCosignature, AuditWitness
from nrm.services import checkpoints
from nrm.services.audit import record
from nrm.services.sequencing import tree

_LONGEST_NAME = 120
_BATCH = 500
_TIME_BYTES = 8


def add(name: str, key: VerifierKey) -> None:
    """Take up a witness by its key, which came to us on a way that we trust."""
    if key.kind != COSIGNED or key.name != name:
        raise RefusedError(f"this is no key of a witness that is called {name}")
    if len(name) > _LONGEST_NAME:
        raise RefusedError(f"the name of a witness has at most {_LONGEST_NAME} characters")
    with unit_of_work() as unit:
        if db.session.get(AuditWitness, name) is not None:
            raise RefusedError(f"there is a witness {name} already")
        db.session.add(AuditWitness(name=name, verifier_key=str(key), added_at=unit.now))
        record(unit, HOUSEKEEPING, Action.WITNESS_ADD, Subject("checkpoint"), purpose=name)


def known() -> list[tuple[AuditWitness, AuditCosignature | None]]:
    """Return every witness with its newest cosignature, by name."""
    size, of = AuditCosignature.size, AuditCosignature.witness
    newest = select(of, func.max(size).label("size")).group_by(of).subquery()
    query = (
        select(AuditWitness, AuditCosignature)
        .outerjoin(newest, newest.c.witness == AuditWitness.name)
        .outerjoin(AuditCosignature, (of == newest.c.witness) & (size == newest.c.size))
        .order_by(AuditWitness.name)
    )
    return [(witness, cosignature) for witness, cosignature in db.session.execute(query)]


def request(old_size: int) -> str:
    """Return what a witness is sent that last signed at this size, or never, at 0."""
    newest = checkpoints.newest()
    if newest is None:
        raise RefusedError(checkpoints.NOTHING_SIGNED)
    if old_size > newest.size:
        raise RefusedError(f"the newest checkpoint covers {newest.size} entries, not {old_size}")
    with db.engine.connect() as connection:
        path = tree(connection).consistency(old_size, newest.size)
    return notes.request(old_size, path, str(newest))


def keep(line: str) -> AuditCosignature:
    """Keep a witness's cosignature, if it is of one that we know, under a checkpoint of ours."""
    signature = read_signature(line.strip())
    with unit_of_work() as unit:
        witness = db.session.get(AuditWitness, signature.name)
        if witness is None:
            raise RefusedError(f"there is no witness {signature.name}: nrm audit witness add")
        checkpoint = _signed_one(signature, read_key(witness.verifier_key))
        this = {"size": checkpoint.size, "witness": witness.name}
        if db.session.get(AuditCosignature, this) is not None:
            raise RefusedError(f"{witness.name} has cosigned {checkpoint.size} entries already")
        kept = AuditCosignature(**this, line=str(signature), cosigned_at=_moment(signature))
        db.session.add(kept)
        subject = Subject("checkpoint")
        record(unit, HOUSEKEEPING, Action.WITNESS_COSIGN, subject, purpose=witness.name)
    return kept


def with_cosignatures(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as a signed note, with the lines of those who have cosigned it."""
    lines = db.session.scalars(
        select(AuditCosignature.line)
        .where(AuditCosignature.size == checkpoint.size)
        .order_by(AuditCosignature.witness)
    )
    return str(checkpoint) + "".join(f"{line}\n" for line in lines)


def _signed_one(signature: Signature, key: VerifierKey) -> Checkpoint:
    """Find the checkpoint under which the signature is genuine; it is one of the newest."""
    for checkpoint in _newest_first():
        try:
            check(checkpoint._replace(signatures=(signature,)), key)
        except NotAsSignedError:
            continue
        return checkpoint
    raise NotAsSignedError(f"{key.name} cosigned none of our checkpoints with this line")


def _newest_first() -> Iterator[Checkpoint]:
    table = AuditCheckpoint
    query = select(table.size, table.note).order_by(table.size.desc()).limit(_BATCH)
    rows = db.session.execute(query).all()
    while rows:
        yield from (read_checkpoint(note) for _, note in rows)
        rows = db.session.execute(query.where(table.size < rows[-1].size)).all()


def _moment(signature: Signature) -> datetime:
    """Read when the witness says that it signed."""
    seconds = int.from_bytes(signature.signature[:_TIME_BYTES], "big")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise UnreadableError("the cosignature gives no time") from None
