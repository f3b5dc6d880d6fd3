"""A small log made from the formats alone: its leaves, checkpoints, bundles and proofs."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from nrm.audit.checkpoint import cosign, origin_of, request, signed, verifier_key, witness_key
from nrm.audit.entry import Entry, leaf_hash, texts_of
from nrm.audit.tree import Tree, grown
from nrm.audit.verify import bundle_head, read_checkpoint, write_entry, write_proof

SEED, OTHER_SEED, WITNESS_SEED = (bytes([number]) * 32 for number in (1, 2, 3))
ORIGIN = origin_of(SEED)
KEY = verifier_key(ORIGIN, SEED)
WITNESS = witness_key("court.example", WITNESS_SEED)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def entry(number):
    return Entry(
        id=UUID(int=number + 1),
        occurred_at=NOON - timedelta(minutes=number),
        actor_id=UUID(int=1_000 + number % 3),
        actor_organisation_id=None,
        actor_role="coordinator",
        session_ref="a1b2",
        action="case:open",
        subject_type="case",
        subject_id=UUID(int=2_000 + number),
        case_id=UUID(int=2_000 + number),
        compartments="contact identity" if number % 2 else "",
        purpose="",
        outcome="done",
        rows="[]",
        detail_sha256="",
    )


def entries(count):
    return [entry(number) for number in range(count)]


def tree_of(leaves):
    tiles = grown(0, leaves, lambda *_: b"")
    return Tree(len(leaves), lambda *place: tiles.get(place, b""))


def tree(log):
    return tree_of([leaf_hash(one) for one in log])


def note(log, seed=SEED, origin=ORIGIN, moment=NOON):
    return signed(origin, len(log), tree(log).root(), moment, seed)


def checkpoint(log, **chosen):
    return read_checkpoint(note(log, **chosen))


def cosigned(log):
    """Give a log's checkpoint with the line of a witness under it."""
    alone = note(log)
    _, line = cosign(request(0, [], alone), KEY, None, WITNESS.name, WITNESS_SEED, NOON)
    return f"{alone}{line}\n"


def lines(log):
    return [write_entry(texts_of(one), leaf_hash(one)) for one in log]


def bundle(log, signed_note=None, key=KEY):
    return bundle_head(signed_note or note(log), str(key)) + "".join(
        f"{one}\n" for one in lines(log)
    )


def proof(log, index, signed_note=None):
    path = tree(log).inclusion(index)
    return write_proof(lines(log)[index], index, path, str(KEY), signed_note or note(log))
