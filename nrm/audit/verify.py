"""Check a log that somebody else keeps. This one file runs by itself.

    python verify.py BUNDLE [--checkpoint FILE] [--root SIZE HASH] [--key KEY] [--witness KEY]
    python verify.py PROOF [--key KEY] [--witness KEY]

It needs Python 3.11 and the library `cryptography`: nothing else of this project, no database, no
network and no secret. A bundle holds every entry of a log, a proof a single one; both come with a
checkpoint, which is the log's size and root hash, signed. Whoever kept an older checkpoint holds
the bundle against it, and finds whatever was changed, removed, inserted or reordered since; so
does whoever kept no more than the size and the root hash, on paper or in an e-mail.

Formats: the tree of RFC 6962; signed notes, checkpoints, cosignatures and proofs as C2SP describes
them (c2sp.org: signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof).

Exit code: 0 everything fits; 1 something does not; 2 a file cannot be read.
"""

import argparse
import base64
import binascii
import hashlib
import json
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TextIO
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# What an entry says, in the order in which its hash covers it.
FIELDS = (
    *("id", "occurred_at", "actor_id", "actor_organisation_id", "actor_role", "session_ref"),
    *("action", "subject_type", "subject_id", "case_id", "compartments", "purpose", "outcome"),
    *("rows", "detail_sha256"),
)
IDS = tuple(
    FIELDS.index(name)
    for name in ("id", "actor_id", "actor_organisation_id", "subject_id", "case_id")
)
ENTRY_FORMAT = b"nrm audit entry v1"
BUNDLE_FORMAT = "nrm log bundle v1"
PROOF_FORMAT = "c2sp.org/tlog-proof@v1"
HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

SIGNED, COSIGNED = 1, 4
# No log has more entries than this has digits.
_DIGITS = 18
_ENTRIES = "entries"
_DASH = "\N{EM DASH} "
_NUMBER = struct.Struct(">Q").pack
# How long a value is, made ready for nearly all: a million entries have fifteen each.
_LENGTHS = [_NUMBER(length) for length in range(4_096)]
_HEAD = b"\x00" + _NUMBER(len(FIELDS) + 1) + _NUMBER(len(ENTRY_FORMAT)) + ENTRY_FORMAT


class NotAsSignedError(Exception):
    """The log is not what was signed; the message says in one line how that shows."""


class UnreadableError(Exception):
    """A file is not what it should be; the message says in one line why."""


# Entries and their leaves -------------------------------------------------------------------------


def leaf_of(parts: Sequence[bytes]) -> bytes:
    """Return the leaf for an entry's values: SHA-256 of 0x00, then each value after its length."""
    try:
        framed = [_LENGTHS[len(part)] + part for part in parts]
    except IndexError:
        framed = [_NUMBER(len(part)) + part for part in parts]
    return hashlib.sha256(_HEAD + b"".join(framed)).digest()


def parts_of(texts: Sequence[str]) -> list[bytes]:
    """Turn an entry's values, as texts in the order of FIELDS, into what its hash covers."""
    parts = [text.encode() for text in texts]
    for place in IDS:
        parts[place] = UUID(texts[place]).bytes if texts[place] else b""
    return parts


# The tree (RFC 6962, section 2.1) -----------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash over two hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Growing:
    """A tree that only grows, remembered by the roots of its complete subtrees, largest first."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> None:
        """Add a leaf at the end."""
        size = self.size
        while size & 1:
            leaf = node(self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root hash of what was added so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node(peak, root)
        return root


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Say whether a path proves that the leaf is in the tree at this place (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(beside, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistent(
    old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> bool:
    """Say whether a path proves that the old tree is the beginning of the new (RFC 9162, 2.1.4.2).

    Nothing is known of an empty tree, so nothing follows from one but an empty path.
    """
    if not 0 <= old_size <= size:
        return False
    if old_size in {0, size}:
        return not path and old_root == (root if old_size else EMPTY_ROOT)
    # An old tree that is one complete subtree is known already, and left out of the path.
    hashes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    return bool(hashes) and _climbed(old_size, size, hashes) == (old_root, root)


def _climbed(old_size: int, size: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Climb from where the old tree ends; returns the roots, old and new, to which that leads."""
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node(beside, old), node(beside, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node(new, beside)
        place, last = place >> 1, last >> 1
    return None if last else (old, new)


# Keys, notes and checkpoints ----------------------------------------------------------------------


class VerifierKey(NamedTuple):
    """The public half of a key, with the name that it signs under."""

    name: str
    # 1 signs notes, 4 cosigns checkpoints together with the time.
    kind: int
    public: bytes

    def __str__(self) -> str:
        """Write it as notes do: name, fingerprint, and the key itself."""
        coded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.fingerprint.hex()}+{coded}"

    @property
    def fingerprint(self) -> bytes:
        """The four bytes by which a signature says which key made it."""
        named = f"{self.name}\n".encode() + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:4]


class Signature(NamedTuple):
    """One signature line under a note."""

    name: str
    fingerprint: bytes
    signature: bytes

    def __str__(self) -> str:
        """Write it as it stands under a note."""
        return f"{_DASH}{self.name} {encoded(self.fingerprint + self.signature)}"


class Checkpoint(NamedTuple):
    """What a log said of itself at one moment, and who signed it."""

    origin: str
    size: int
    root: bytes
    # When it was signed, as the log says.
    time: datetime
    # The text that the signatures cover.
    body: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        """Write it as a signed note."""
        return self.body + "\n" + "".join(f"{line}\n" for line in self.signatures)


class Root(NamedTuple):
    """How many entries of a log had which root hash: less than a checkpoint, and unsigned."""

    size: int
    root: bytes
    # The name of the log, where that was copied as well.
    origin: str = ""

    def __str__(self) -> str:
        """Write it in one line, to be copied into a command."""
        return f"{self.origin} {self.size} {encoded(self.root)}".strip()


def read_key(text: str) -> VerifierKey:
    """Read a verifier key as notes write it; raises UnreadableError."""
    name, _, rest = text.strip().partition("+")
    fingerprint, _, coded = rest.partition("+")
    raw = _decoded(coded, "the key")
    key = VerifierKey(name, raw[0] if raw else 0, raw[1:])
    if key.kind not in {SIGNED, COSIGNED} or len(key.public) != HASH_BYTES or not is_name(name):
        raise UnreadableError("this is no key of a log or of a witness")
    if fingerprint != key.fingerprint.hex():
        raise UnreadableError("the key was not copied whole: its fingerprint does not fit")
    return key


def read_checkpoint(text: str) -> Checkpoint:
    """Read a signed checkpoint; raises UnreadableError. Whether it is genuine, `check` says."""
    body, found, signed = text.partition("\n\n")
    lines = body.split("\n")
    if not found or len(lines) != 4 or not signed.endswith("\n"):  # noqa: PLR2004 - origin, size, root, time
        raise UnreadableError("this is no checkpoint of a log")
    origin, size, root, time = lines
    digest = _decoded(root, "the root hash")
    if len(digest) != HASH_BYTES:
        raise UnreadableError("the checkpoint gives no root hash")
    if not is_name(origin):
        raise UnreadableError("the checkpoint names no log")
    signatures = tuple(read_signature(line) for line in signed.removesuffix("\n").split("\n"))
    return Checkpoint(
        *(origin, read_number(size, "the checkpoint gives no size"), digest, _read_time(time)),
        *(body + "\n", signatures),
    )


def check(checkpoint: Checkpoint, key: VerifierKey) -> None:
    """Refuse a checkpoint that this key did not sign; raises NotAsSignedError."""
    for line in checkpoint.signatures:
        if (line.name, line.fingerprint) == (key.name, key.fingerprint):
            message, signature = checkpoint.body.encode(), line.signature
            if key.kind == COSIGNED:
                message, signature = cosigned(checkpoint.body, signature[:8]), signature[8:]
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
            except InvalidSignature:
                raise NotAsSignedError(
                    f"the signature of {key.name} under the checkpoint is not genuine"
                ) from None
            return
    raise NotAsSignedError(f"{key.name} did not sign this checkpoint with the key that was given")


def cosigned(body: str, time: bytes) -> bytes:
    """Return what a witness signs: the moment, in seconds since 1970, and the checkpoint."""
    return f"cosignature/v1\ntime {int.from_bytes(time, 'big')}\n{body}".encode()


def read_signature(line: str) -> Signature:
    """Read one signature line; raises UnreadableError."""
    name, _, coded = line.removeprefix(_DASH).partition(" ")
    raw = _decoded(coded, "a signature")
    if not line.startswith(_DASH) or not is_name(name) or len(raw) <= 4:  # noqa: PLR2004 - the fingerprint
        raise UnreadableError("a signature line of the checkpoint cannot be read")
    return Signature(name, raw[:4], raw[4:])


def is_name(text: str) -> bool:
    """Say whether a log or a witness may be called so: nothing that a terminal would carry out."""
    return text.isprintable() and text != "" and not set(text) & set(" +")


def _read_time(line: str) -> datetime:
    try:
        return datetime.strptime(line, "time %Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise UnreadableError("the checkpoint gives no time") from None


def read_number(text: str, wrong: str) -> int:
    """Read a number as it is written here: digits alone, and no zeros before them."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS) or str(int(text)) != text:
        raise UnreadableError(wrong)
    return int(text)


def _decoded(coded: str, what: str) -> bytes:
    """Decode base64 and nothing that only looks like it: no second spelling of the same bytes."""
    try:
        raw = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableError(f"{what} cannot be read") from None
    if encoded(raw) != coded:
        raise UnreadableError(f"{what} cannot be read")
    return raw


def encoded(raw: bytes) -> str:
    """Write bytes as notes do."""
    return base64.b64encode(raw).decode()


# Bundles and proofs -------------------------------------------------------------------------------


class Entry(NamedTuple):
    """An entry as a bundle holds it: its values as texts, and the leaf that was kept with it."""

    texts: tuple[str, ...]
    leaf: bytes


def write_entry(texts: Sequence[str], leaf: bytes) -> str:
    """Write an entry as the one line that a bundle has for it."""
    values = dict(zip(FIELDS, texts, strict=True)) | {"leaf": leaf.hex()}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def read_entry(line: str) -> Entry:
    """Read an entry's line; raises UnreadableError for whatever would not be written so."""
    try:
        values = json.loads(line)
        texts = tuple(values[name] for name in FIELDS)
        entry = Entry(texts, bytes.fromhex(values["leaf"]))
        if (
            all(type(text) is str for text in texts)
            and write_entry(*entry) == line
            and all(texts[at] == _id(texts[at]) for at in IDS)
        ):
            return entry
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise UnreadableError("an entry cannot be read")


def bundle_head(checkpoint: str, key: str) -> str:
    """Write what a bundle begins with; the lines of its entries follow, in the tree's order."""
    return f"{BUNDLE_FORMAT}\n{key}\n{checkpoint}\n{_ENTRIES}\n"


def write_proof(entry: str, index: int, path: Iterable[bytes], key: str, checkpoint: str) -> str:
    """Write the proof that an entry is in the log at this place, as one file."""
    extra = encoded(f"{key}\n{entry}".encode())
    hashes = "".join(f"{encoded(beside)}\n" for beside in path)
    return f"{PROOF_FORMAT}\nextra {extra}\nindex {index}\n{hashes}\n{checkpoint}"


class Trusted(NamedTuple):
    """What whoever checks has from elsewhere: the log's keys, an older checkpoint, witnesses."""

    # Several where the log's key was renewed: each checkpoint is held against those that signed it.
    keys: tuple[VerifierKey, ...] = ()
    older: Checkpoint | None = None
    witnesses: tuple[VerifierKey, ...] = ()
    # What somebody wrote down, or copied out of an e-mail.
    noted: Root | None = None

    @property
    def kept(self) -> list[Checkpoint | Root]:
        """How many entries had which root hash, as whoever checks knows it."""
        return [one for one in (self.older, self.noted) if one is not None]


def verify_bundle(lines: Iterator[str], trusted: Trusted) -> str:
    """Check a whole log; returns the verdict, raises NotAsSignedError or UnreadableError."""
    if next(lines, "") != BUNDLE_FORMAT:
        raise UnreadableError("this is no bundle of a log")
    own_key = read_key(next(lines, ""))
    head = []
    for line in lines:
        if line == _ENTRIES:
            break
        head.append(line)
    checkpoint = read_checkpoint("\n".join(head))
    _check_signatures(checkpoint, own_key, trusted)
    if checkpoint.size == 0:
        raise UnreadableError("this bundle is of an empty log: there is nothing to check")
    _check_entries(lines, checkpoint, trusted.kept)
    return _verdict(checkpoint, own_key, trusted)


def _check_entries(
    lines: Iterator[str], checkpoint: Checkpoint, kept: Sequence[Checkpoint | Root]
) -> None:
    tree, changed = Growing(), 0
    sizes, found = {one.size for one in kept}, {0: EMPTY_ROOT}
    for number, line in enumerate(lines, start=1):
        entry = _numbered(line, number)
        if not changed and leaf_of(parts_of(entry.texts)) != entry.leaf:
            changed = number
        tree.append(entry.leaf)
        if tree.size in sizes:
            found[tree.size] = tree.root()
    if changed:
        raise NotAsSignedError(f"entry {changed} of the bundle is not as it was written")
    if tree.size != checkpoint.size:
        raise NotAsSignedError(
            f"the bundle holds {tree.size} entries, but {checkpoint.size} were signed"
        )
    if tree.root() != checkpoint.root:
        raise NotAsSignedError("the entries are not those that were signed")
    unfit = next((one for one in kept if found[one.size] != one.root), None)
    if unfit is not None:
        raise NotAsSignedError(f"what you kept does not fit: {altered(unfit)}")


def altered(kept: Checkpoint | Root) -> str:
    """Say what it can mean that a log is not the one of which somebody kept this."""
    said = f"among the first {kept.size} some were changed, removed, inserted or reordered"
    if isinstance(kept, Checkpoint):
        return said
    # What is signed was copied whole, and of its own log; a hash alone may be any.
    other = "" if kept.origin else ", or that is the root hash of another log"
    return f"{said}{other}, or its digits are not as they stand where you have them from"


def verify_proof(text: str, trusted: Trusted) -> str:
    """Check that one entry is in the log; returns what it says and where it stands."""
    head, found, note = text.partition("\n\n")
    lines = head.split("\n")
    if not found or lines[0] != PROOF_FORMAT or len(lines) < 3:  # noqa: PLR2004 - format, extra, index
        raise UnreadableError("this is no proof of an entry")
    extra, place = _after("extra ", lines[1]), _after("index ", lines[2])
    key_line, _, entry_line = _text(extra).partition("\n")
    index = read_number(place, "the proof gives no place in the log")
    key, entry, checkpoint = read_key(key_line), read_entry(entry_line), read_checkpoint(note)
    path = [read_hash(line) for line in lines[3:]]
    _check_signatures(checkpoint, key, trusted)
    _check_same(checkpoint, trusted.kept)
    leaf = leaf_of(parts_of(entry.texts))
    if leaf != entry.leaf:
        raise NotAsSignedError("the entry is not as it was written")
    if not includes(leaf, index, checkpoint.size, path, checkpoint.root):
        raise NotAsSignedError("the proof does not lead from the entry to what was signed")
    return (
        f"This entry is number {index + 1} of the {checkpoint.size} that were signed:\n"
        f"{_told(entry)}{_kept(trusted)}{_signed_by(checkpoint, key, trusted)}"
    )


def _check_same(checkpoint: Checkpoint, kept: Sequence[Checkpoint | Root]) -> None:
    """Hold what was kept against the checkpoint of a proof, if it is of the same moment.

    A proof leads from one entry to one checkpoint, and to none before it.
    """
    for one in kept:
        if one.size != checkpoint.size:
            raise UnreadableError(
                f"this proof is of {checkpoint.size} entries and says nothing of the {one.size} "
                "that you kept: hold a bundle against them"
            )
        if one.root != checkpoint.root:
            raise NotAsSignedError("what you kept does not fit: it has another root hash")


def _told(entry: Entry) -> str:
    """Say what an entry says, in nothing that a terminal would carry out."""
    said = zip(FIELDS, entry.texts, strict=True)
    shown = ((name, value if value.isprintable() else ascii(value)) for name, value in said)
    return "".join(f"  {name}: {value}\n" for name, value in shown if value)


def _after(word: str, line: str) -> str:
    if not line.startswith(word):
        raise UnreadableError("this is no proof of an entry")
    return line.removeprefix(word)


def _check_signatures(checkpoint: Checkpoint, own_key: VerifierKey, trusted: Trusted) -> None:
    keys = trusted.keys or (own_key,)
    _check_any(checkpoint, keys)
    for witness in trusted.witnesses:
        check(checkpoint, witness)
    for one in trusted.kept:
        refuse_another(one, checkpoint.origin)
        if isinstance(one, Checkpoint):
            _check_any(one, keys)
        if one.size > checkpoint.size:
            raise NotAsSignedError(
                f"what you kept covers {one.size} entries and this file only {checkpoint.size}: "
                "the end was cut off, or you were given an older copy"
            )


def refuse_another(kept: Checkpoint | Root, origin: str) -> None:
    """Refuse what is of another log, where it names one; raises NotAsSignedError."""
    if kept.origin not in {"", origin}:
        raise NotAsSignedError(f"what you kept is of another log: {kept.origin}, and not {origin}")


def _check_any(checkpoint: Checkpoint, keys: Sequence[VerifierKey]) -> None:
    """Check every signature of a key that is known, of which there must be one."""
    lines = {(line.name, line.fingerprint) for line in checkpoint.signatures}
    known = [key for key in keys if (key.name, key.fingerprint) in lines]
    for key in known or keys[:1]:
        check(checkpoint, key)


def _verdict(checkpoint: Checkpoint, key: VerifierKey, trusted: Trusted) -> str:
    return (
        f"All {checkpoint.size} entries of {checkpoint.origin} are as they were signed.\n"
        f"{_kept(trusted)}{_signed_by(checkpoint, key, trusted)}"
    )


def _kept(trusted: Trusted) -> str:
    said = ""
    if trusted.older is not None:
        said += f"The first {trusted.older.size} are those of the checkpoint that you kept.\n"
    if trusted.noted is not None:
        said += f"The first {trusted.noted.size} have the root hash that you kept.\n"
    return said


def _signed_by(checkpoint: Checkpoint, key: VerifierKey, trusted: Trusted) -> str:
    said = f"Signed on {checkpoint.time:%Y-%m-%d at %H:%M:%S} UTC, as the log says.\n"
    for witness in trusted.witnesses:
        said += f"Cosigned by the witness {witness.name}.\n"
    if not trusted.keys:
        said += (
            "The key came with the file. Compare it with the one that was published before you "
            f"rely on it, or say it with --key:\n  {key}\n"
        )
    return said


def _numbered(line: str, number: int) -> Entry:
    try:
        return read_entry(line)
    except UnreadableError:
        raise UnreadableError(f"entry {number} of the bundle cannot be read") from None


def read_hash(coded: str) -> bytes:
    """Read one hash of a proof; raises UnreadableError."""
    digest = _decoded(coded, "a hash of the proof")
    if len(digest) != HASH_BYTES:
        raise UnreadableError("a hash of the proof cannot be read")
    return digest


def _text(coded: str) -> str:
    try:
        return _decoded(coded, "the entry of the proof").decode()
    except UnicodeDecodeError:
        raise UnreadableError("the entry of the proof cannot be read") from None


def _id(text: str) -> str:
    return str(UUID(text)) if text else ""


# The command line ---------------------------------------------------------------------------------


def lines_of(file: TextIO) -> Iterator[str]:
    """Give a file's lines without their ends; a last line that is cut short is no line."""
    for line in file:
        if not line.endswith("\n"):
            raise UnreadableError("the file breaks off in the middle of a line")
        yield line[:-1]


def verify_file(path: Path, trusted: Trusted) -> str:
    """Check a bundle or a proof; raises NotAsSignedError or UnreadableError in one line."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            if file.readline() == f"{PROOF_FORMAT}\n":
                file.seek(0)
                return verify_proof(file.read(), trusted)
            file.seek(0)
            return verify_bundle(lines_of(file), trusted)
    except UnicodeDecodeError:
        raise UnreadableError(f"{path.name} is no text, as bundles and proofs are") from None
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be opened: {error.strerror}") from None


def read_root(text: str) -> Root:
    """Read a number of entries and their root hash as they stand on paper, a page or in an e-mail.

    The hash is 64 digits, in groups or not, or the line of a checkpoint; the name of the log may
    come before the number, as it does in a checkpoint. Raises UnreadableError.
    """
    words = text.split()
    named = bool(words) and is_name(words[0]) and not words[0].isdigit()
    origin = words.pop(0) if named else ""
    size = read_number("".join(words[:1]), "the root hash comes after the number of entries")
    if size == 0:
        raise UnreadableError("the root hash of 0 entries says nothing of a log")
    return Root(size, _root_hash("".join(words[1:])), origin)


def _root_hash(text: str) -> bytes:
    try:
        root = bytes.fromhex(text) if len(text) == 2 * HASH_BYTES else _decoded(text, "")
    except (ValueError, UnreadableError):
        root = b""
    if len(root) != HASH_BYTES:
        raise UnreadableError(
            "after the number of entries come the 64 digits of the root hash, or its line"
        )
    return root


def read_checkpoint_file(path: Path) -> Checkpoint:
    """Read a checkpoint that somebody kept; raises UnreadableError in one line.

    Out of a message or an editor it has come with more or fewer empty lines around it, or with a
    mark of its encoding: all that is signed stands between them.
    """
    try:
        return read_checkpoint(path.read_text(encoding="utf-8-sig").strip() + "\n")
    except UnicodeDecodeError:
        raise UnreadableError(f"{path.name} is no text, as checkpoints are") from None
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be opened: {error.strerror}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names, say the verdict and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="verify.py", description="Check a bundle of a log, or the proof of one entry."
    )
    parser.add_argument("file", type=Path, help="the bundle or the proof")
    parser.add_argument("--checkpoint", type=Path, help="an older checkpoint that you kept")
    parser.add_argument(
        "--root",
        nargs="+",
        help="a number of entries and their root hash, from paper or out of an e-mail",
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="the log's key, from a source that you trust; an older one too if it was renewed",
    )
    parser.add_argument(
        "--witness", action="append", default=[], help="the key of a witness that must have signed"
    )
    asked = parser.parse_args(arguments)
    try:
        trusted = Trusted(
            tuple(map(read_key, asked.key)),
            read_checkpoint_file(asked.checkpoint) if asked.checkpoint else None,
            tuple(map(read_key, asked.witness)),
            read_root(" ".join(asked.root)) if asked.root else None,
        )
        print(verify_file(asked.file, trusted), end="")
    except NotAsSignedError as error:
        print(f"Not as signed: {error}.")
        return 1
    except UnreadableError as error:
        print(f"Cannot be checked: {error}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
