"""The one file with which a stranger checks the log: alone, against forgers and another's library.

NRM_PROOF=1 flips every bit instead of one in each byte, and forges ten times as many proofs.
"""

import json
import os
import random
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nrm.audit import verify
from nrm.audit.entry import leaf_hash
from nrm.audit.verify import (
    EMPTY_ROOT,
    FIELDS,
    Growing,
    NotAsSignedError,
    Root,
    Trusted,
    UnreadableError,
    consistent,
    includes,
    read_checkpoint_file,
    read_root,
    verify_file,
)
from tests import bundles
from tests.bundles import KEY, WITNESS

PROOF = bool(os.environ.get("NRM_PROOF"))
FORGERIES = 5_000 if PROOF else 500
REFUSED = (NotAsSignedError, UnreadableError)
LOG = bundles.entries(7)


def written(folder, text):
    file = folder / "taken-home"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.fixture
def judged(tmp_path):
    """Check a text as a file: the verdict, or what is wrong in one line."""

    def judge(text, **trusted):
        try:
            return verify_file(written(tmp_path, text), Trusted(**trusted))
        except REFUSED as error:
            return one_line(error)

    return judge


def noted(log):
    """Give what somebody can write down: the number of entries, and the root hash."""
    return Root(len(log), bundles.tree(log).root())


def one_line(error):
    said = str(error)
    assert said
    assert "\n" not in said
    return said


# By itself.


def only(folder, *wanted):
    """Make a folder of libraries that holds these, and what they need themselves."""
    folder.mkdir()
    waiting, taken = list(wanted), set()
    while waiting:
        name = waiting.pop()
        if name in taken:
            continue
        taken.add(name)
        library = metadata.distribution(name)
        for file in library.files:
            top = file.parts[0]
            if top != ".." and not (folder / top).exists():
                (folder / top).symlink_to(library.locate_file(top))
        waiting += [
            need.split(";")[0].split(">")[0].split("<")[0].strip()
            for need in library.requires or ()
            if "extra ==" not in need and "python_version" not in need
        ]
    return taken


ALONE = """
import runpy, sys
sys.path.append(sys.argv[1])
for name in ("nrm", "config", "sqlalchemy", "flask", "click", "pytest"):
    try:
        __import__(name)
    except ImportError:
        continue
    raise SystemExit(f"{name} is here")
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_it_runs_where_nothing_else_is_installed(tmp_path):
    (tmp_path / "verify.py").write_bytes(Path(verify.__file__).read_bytes())
    taken = only(tmp_path / "libraries", "cryptography")
    assert taken <= {"cryptography", "cffi", "pycparser", "typing-extensions"}
    kept = written(tmp_path, bundles.note(LOG[:3])).rename(tmp_path / "kept.checkpoint")
    text = bundles.bundle(LOG)

    def run(text):
        file = written(tmp_path, text)
        command = [sys.executable, "-I", "-S", "-c", ALONE, str(tmp_path / "libraries")]
        checked = [str(tmp_path / "verify.py"), str(file), "--checkpoint", str(kept)]
        return subprocess.run(
            [*command, *checked, "--key", str(KEY)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={},
        )

    good = run(text)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout == (
        f"All 7 entries of {KEY.name} are as they were signed.\n"
        "The first 3 are those of the checkpoint that you kept.\n"
        "Signed on 2026-11-24 at 12:00:00 UTC, as the log says.\n"
    )
    changed = run(text.replace("case:open", "case:list", 1))
    assert (changed.returncode, changed.stdout) == (
        1,
        "Not as signed: entry 1 of the bundle is not as it was written.\n",
    )
    unreadable = run("something else\n")
    assert unreadable.returncode == 2
    assert unreadable.stderr == "Cannot be checked: this is no bundle of a log.\n"


def test_it_reads_nothing_of_this_project():
    source = Path(verify.__file__).read_text(encoding="utf-8")
    imported = {
        line.split()[1].split(".")[0]
        for line in source.splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


# What fits, and what a stranger is told.


def test_a_whole_log_that_nobody_touched(judged):
    told = judged(bundles.bundle(LOG))
    assert told.startswith(f"All 7 entries of {KEY.name} are as they were signed.\n")
    assert "The key came with the file. Compare it with the one that was published" in told
    assert str(KEY) in told
    told = judged(bundles.bundle(LOG, bundles.cosigned(LOG)), keys=(KEY,), witnesses=(WITNESS,))
    assert "Cosigned by the witness court.example.\n" in told
    assert "came with the file" not in told


def test_a_root_hash_that_was_kept(judged, tmp_path, capsys):
    kept = noted(LOG[:3])
    told = judged(bundles.bundle(LOG), noted=kept)
    assert "\nThe first 3 have the root hash that you kept.\n" in told
    # Quoted or not, in the groups in which the page shows it, or as it stands in a checkpoint.
    file = str(written(tmp_path, bundles.bundle(LOG)))
    groups, (origin, size, line) = kept.root.hex(" ", 2).split(), bundles.note(LOG[:3]).split()[:3]
    for typed in (["3", *groups], [f"3 {kept.root.hex()}"], [size, line], [origin, size, line]):
        assert verify.main([file, "--root", *typed]) == 0
    for typed in (
        ["3"],
        [line],
        ["three", *groups],
        ["3", *groups[1:]],
        ["3", *groups[1:], "wxyz"],
        ["3", line[1:]],
        ["0", *EMPTY_ROOT.hex(" ", 2).split()],
        [""],
    ):
        capsys.readouterr()
        assert verify.main([file, "--root", *typed]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert said.err.startswith("Cannot be checked: ")
    for typed, why in (
        (["3", *noted(LOG[:4]).root.hex(" ", 2).split()], "or that is the root hash of another"),
        (["8", line], "what you kept covers 8 entries and this file only 7"),
        (["nrm.log/another", "3", line], "what you kept is of another log: nrm.log/another"),
    ):
        assert verify.main([file, "--root", *typed]) == 1
        said = capsys.readouterr()
        assert (said.out.count("\n"), said.err) == (1, "")
        assert why in said.out


def test_an_entry_is_proved_to_be_in_the_checkpoint_that_was_kept(judged):
    told = judged(bundles.proof(LOG, 2), older=bundles.checkpoint(LOG), noted=noted(LOG))
    assert "The first 7 are those of the checkpoint that you kept.\n" in told
    assert "The first 7 have the root hash that you kept.\n" in told


@pytest.mark.parametrize("index", range(len(LOG)))
def test_one_entry_with_its_proof(judged, index):
    told = judged(bundles.proof(LOG, index), keys=(KEY,))
    assert told.startswith(f"This entry is number {index + 1} of the 7 that were signed:\n")
    assert f"  id: {LOG[index].id}\n" in told
    assert "  action: case:open\n" in told


def test_what_an_entry_says_never_reaches_the_terminal_as_a_command(judged):
    hostile = bundles.entry(0)
    hostile = type(hostile)(**{**vars(hostile), "purpose": "\x1b[2J\rAll is well"})
    told = judged(bundles.proof([hostile, *LOG], 0), keys=(KEY,))
    assert "\x1b" not in told
    assert "\r" not in told
    for name in ("nrm log", "nrm+log", "nrm\x1blog", ""):
        bad = bundles.note(LOG).replace(f"{KEY.name}\n", f"{name}\n")
        assert judged(bundles.bundle(LOG, bad)) == "the checkpoint names no log"


@pytest.mark.parametrize(
    ("text", "trusted", "said"),
    [
        (bundles.bundle([]), {}, "this bundle is of an empty log: there is nothing to check"),
        (bundles.bundle(LOG[:3], bundles.note(LOG)), {}, "the bundle holds 3 entries, but 7 were"),
        (bundles.bundle(LOG, bundles.note(LOG[:3])), {}, "the bundle holds 7 entries, but 3 were"),
        (bundles.bundle(LOG[::-1], bundles.note(LOG)), {}, "the entries are not those that were"),
        (
            bundles.bundle(LOG),
            {"keys": (bundles.verifier_key(KEY.name, bundles.OTHER_SEED),)},
            "did not sign this checkpoint with the key that was given",
        ),
        (
            bundles.bundle(LOG, bundles.note(LOG, seed=bundles.OTHER_SEED)),
            {"keys": (KEY,)},
            "did not sign this checkpoint with the key that was given",
        ),
        (
            bundles.bundle(LOG),
            {"witnesses": (WITNESS,)},
            "court.example did not sign this checkpoint",
        ),
        (
            bundles.bundle(LOG[:3]),
            {"older": bundles.checkpoint(LOG)},
            "what you kept covers 7 entries and this file only 3: the end was cut off",
        ),
        (
            bundles.bundle(LOG),
            {"older": bundles.checkpoint(LOG[::-1][:5])},
            "among the first 5 some were changed, removed, inserted or reordered",
        ),
        (
            bundles.bundle(LOG),
            {"older": bundles.checkpoint(LOG[:3], origin="nrm.log/another")},
            "what you kept is of another log: nrm.log/another",
        ),
        (bundles.bundle(LOG)[:-5], {}, "the file breaks off in the middle of a line"),
        ("", {}, "this is no bundle of a log"),
        (b"\xff\xfe", {}, "is no text, as bundles and proofs are"),
        (bundles.proof(LOG, 2).replace("index 2", "index 3"), {}, "does not lead from the entry"),
        (bundles.proof(LOG, 2).replace("index 2", "index 02"), {}, "gives no place in the log"),
        (bundles.proof(LOG, 2, bundles.note(LOG[:6])), {}, "does not lead from the entry"),
        (
            bundles.proof(LOG, 2),
            {"older": bundles.checkpoint(LOG[:3])},
            "this proof is of 7 entries and says nothing of the 3 that you kept",
        ),
        (
            bundles.proof(LOG, 2),
            {"older": bundles.checkpoint([*LOG[:6], bundles.entry(9)])},
            "what you kept does not fit: it has another root hash",
        ),
        (bundles.proof(LOG[:3], 2), {"noted": noted(LOG)}, "what you kept covers 7 entries and"),
        (bundles.bundle(LOG[:3]), {"noted": noted(LOG)}, "what you kept covers 7 entries and"),
        (bundles.bundle(LOG), {"noted": noted(LOG[::-1][:5])}, "what you kept does not fit"),
        (
            bundles.bundle(LOG),
            {"older": bundles.checkpoint(LOG[:5]), "noted": noted(LOG[::-1][:5])},
            "what you kept does not fit",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(judged, text, trusted, said):
    assert said in judged(text, **trusted)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UnreadableError, match="nowhere cannot be opened: No such file"):
        verify_file(tmp_path / "nowhere", Trusted())


@pytest.mark.parametrize(
    "as_saved",
    [
        str.rstrip,
        "\n{}\n\n".format,
        "\N{ZERO WIDTH NO-BREAK SPACE}{}".format,
        lambda text: text.replace("\n", "\r\n"),
    ],
    ids=["no last line end", "empty lines around it", "a mark of its encoding", "other line ends"],
)
def test_a_checkpoint_is_read_as_it_comes_out_of_a_message(tmp_path, as_saved):
    file = written(tmp_path, as_saved(bundles.note(LOG)))
    assert read_checkpoint_file(file) == bundles.checkpoint(LOG)


def test_a_log_whose_key_was_renewed_is_held_against_both_keys(judged):
    new = bundles.verifier_key(KEY.name, bundles.OTHER_SEED)
    text = bundles.bundle(LOG, bundles.note(LOG, seed=bundles.OTHER_SEED), key=new)
    older = bundles.checkpoint(LOG[:3])
    assert "did not sign this checkpoint" in judged(text, keys=(new,), older=older)
    told = judged(text, keys=(new, KEY), older=older)
    assert "The first 3 are those of the checkpoint that you kept.\n" in told


# Damage.


def flips(content):
    """Give the content with one bit of it turned over, at every byte."""
    chance = random.Random(6962)
    for at in range(len(content)):
        for bit in range(8) if PROOF else [chance.randrange(8)]:
            damaged = bytearray(content)
            damaged[at] ^= 1 << bit
            yield bytes(damaged)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bundle", bundles.bundle(LOG, bundles.cosigned(LOG))),
        ("proof", bundles.proof(LOG, 4, bundles.cosigned(LOG))),
    ],
)
def test_no_flipped_bit_is_accepted(tmp_path, counted, name, text):
    # Whoever has the log's key and the witness's from elsewhere, and whoever has nothing.
    knowing = Trusted(keys=(KEY,), witnesses=(WITNESS,))
    assert verify_file(written(tmp_path, text), knowing)
    tried = accepted = 0
    for damaged in flips(text.encode()):
        tried += 1
        try:
            verify_file(written(tmp_path, damaged), knowing)
            accepted += 1
        except REFUSED:
            continue
    counted(f"{name}: {tried} flipped bits, {accepted} accepted")
    assert tried >= len(text.encode())
    assert accepted == 0


# Forgeries.

SIZES = st.integers(1, 300)
LEAVES = [leaf_hash(bundles.entry(number)) for number in range(300)]
HASH = st.binary(min_size=32, max_size=32)


@st.composite
def mangled(draw, path):
    """Change a path as a forger would: other hashes, fewer, more, or in another order."""
    hashes = st.sampled_from([*path, *LEAVES[:8], EMPTY_ROOT]) | HASH
    change = draw(st.sampled_from(["replace", "drop", "add", "swap", "invent"]))
    new = list(path)
    at = draw(st.integers(0, max(len(new) - 1, 0)))
    if change == "replace" and new:
        new[at] = draw(hashes)
    elif change == "drop" and new:
        del new[at]
    elif change == "swap" and new:
        new[at], new[-1] = new[-1], new[at]
    elif change == "invent":
        new = draw(st.lists(hashes, max_size=12))
    else:
        new.insert(at, draw(hashes))
    return new


def test_no_forged_proof_is_accepted(counted):
    tried = {"inclusion": 0, "consistency": 0}
    accepted = dict(tried)

    @settings(max_examples=FORGERIES)
    @given(st.data(), SIZES)
    def inclusion(data, size):
        tree = bundles.tree_of(LEAVES[:size])
        index = data.draw(st.integers(0, size - 1))
        path, root = tree.inclusion(index), tree.root()
        assert includes(LEAVES[index], index, size, path, root)
        forged = data.draw(mangled(path))
        claimed = data.draw(st.sampled_from([index, index ^ 1, 0, size - 1, size, -1]))
        leaf = data.draw(st.sampled_from([LEAVES[index], LEAVES[0], root, EMPTY_ROOT]) | HASH)
        genuine = (LEAVES[claimed] if 0 <= claimed < size else None) == leaf
        assume(not (genuine and forged == tree.inclusion(claimed)))
        tried["inclusion"] += 1
        accepted["inclusion"] += includes(leaf, claimed, size, forged, root)

    @settings(max_examples=FORGERIES)
    @given(st.data(), SIZES)
    def consistency(data, size):
        tree = bundles.tree_of(LEAVES[:size])
        old_size = data.draw(st.integers(1, size))
        path, root, old_root = tree.consistency(old_size), tree.root(), tree.root(old_size)
        assert consistent(old_size, old_root, size, root, path)
        forged = data.draw(mangled(path))
        roots = st.sampled_from([old_root, root, EMPTY_ROOT, LEAVES[0], tree.root(old_size // 2)])
        claimed = data.draw(roots | HASH)
        assume(not (claimed == old_root and forged == path))
        tried["consistency"] += 1
        accepted["consistency"] += consistent(old_size, claimed, size, root, forged)

    inclusion()
    consistency()
    counted(f"row 12: forged proofs: {tried}, accepted: {accepted}")
    assert min(tried.values()) >= FORGERIES // 2
    assert accepted == {"inclusion": 0, "consistency": 0}


# What others say.

# The vectors that implementations of RFC 6962 share (certificate-transparency-go, merkle).
VECTOR_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
VECTOR_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
VECTOR_INCLUSION = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
VECTOR_CONSISTENCY = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


def vector_leaf(data):
    return verify.hashlib.sha256(b"\x00" + data).digest()


def test_the_vectors_of_rfc_6962():
    leaves = [vector_leaf(data) for data in VECTOR_LEAVES]
    grown = Growing()
    roots = [grown.root()]
    for leaf in leaves:
        grown.append(leaf)
        roots.append(grown.root())
    assert [root.hex() for root in roots] == VECTOR_ROOTS
    tree = bundles.tree_of(leaves)
    assert [beside.hex() for beside in tree.inclusion(0)] == VECTOR_INCLUSION
    assert [beside.hex() for beside in tree.consistency(6)] == VECTOR_CONSISTENCY


@pytest.fixture(scope="module")
def oracle():
    """The same entries in the tree of another's library."""
    from pymerkle import InmemoryTree  # noqa: PLC0415 - slow to load, and needed here alone

    return InmemoryTree(algorithm="sha256")


def test_another_library_finds_the_same_roots_and_proofs(oracle, counted):
    from pymerkle import verify_consistency, verify_inclusion  # noqa: PLC0415

    chance = random.Random(2049)
    grown, leaves, roots, proofs = Growing(), [], [EMPTY_ROOT], 0
    assert oracle.get_root() == grown.root() == EMPTY_ROOT
    for number in range(2_049):
        data = b"entry %d" % number
        oracle.append_entry(data)
        leaves.append(vector_leaf(data))
        grown.append(leaves[-1])
        roots.append(grown.root())
        assert oracle.get_root() == roots[-1]
    tree = bundles.tree_of(leaves)
    for size in range(1, 2_050):
        assert tree.root(size) == roots[size]
        index = chance.randrange(size)
        theirs = oracle.prove_inclusion(index + 1, size)
        ours = tree.inclusion(index, size)
        verify_inclusion(leaves[index], roots[size], theirs)
        assert theirs.path == [leaves[index], *ours]
        assert includes(leaves[index], index, size, ours, roots[size])
        old_size = chance.randrange(1, size + 1)
        verify_consistency(roots[old_size], roots[size], oracle.prove_consistency(old_size, size))
        path = tree.consistency(old_size, size)
        assert consistent(old_size, roots[old_size], size, roots[size], path)
        proofs += 2
    counted(f"row 12: another's library: {len(roots)} roots and {proofs} proofs agree")


# Whatever is read.

READERS = (
    verify.read_key,
    verify.read_root,
    verify.read_checkpoint,
    verify.read_signature,
    verify.read_entry,
    verify.read_hash,
    lambda text: verify.read_number(text, "no number"),
    lambda text: verify.verify_proof(text, Trusted()),
    lambda text: verify.verify_bundle(iter(text.split("\n")), Trusted()),
)
GENUINE = (
    str(KEY),
    " ".join(bundles.note(LOG).split()[:3]),
    f"7 {noted(LOG).root.hex(' ', 2)}",
    bundles.note(LOG),
    bundles.cosigned(LOG).splitlines()[-1],
    bundles.lines(LOG)[0],
    bundles.proof(LOG, 3),
    bundles.bundle(LOG[:2]),
)


@st.composite
def nearly_genuine(draw):
    """Something that was genuine, with a piece of it replaced."""
    text = draw(st.sampled_from(GENUINE))
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, min(begin + 20, len(text))))
    return text[:begin] + draw(st.text(max_size=10)) + text[end:]


@given(st.text() | nearly_genuine(), st.sampled_from(READERS))
def test_whatever_is_read_is_read_or_refused(text, reader):
    try:
        reader(text)
    except REFUSED as error:
        one_line(error)


ROOTS = st.builds(
    Root,
    st.integers(1, 10**18 - 1),
    st.binary(min_size=32, max_size=32),
    st.sampled_from(("", bundles.ORIGIN)),
)


@st.composite
def spelled(draw, kept):
    """Write a root in one of the ways in which people hand it on."""
    digits = kept.root.hex(" ", draw(st.integers(1, 32)))
    hexadecimal = draw(st.sampled_from((digits, digits.upper())))
    line = draw(st.sampled_from((hexadecimal, verify.encoded(kept.root))))
    words = [kept.origin, str(kept.size), *line.split()]
    gaps = st.text(" \t\r\n\u00a0", min_size=1, max_size=3)
    return "".join(word + draw(gaps) for word in words if word)


@given(st.data(), ROOTS)
def test_a_root_is_read_however_it_was_written(data, kept):
    assert read_root(data.draw(spelled(kept))) == kept


@given(st.data(), ROOTS)
def test_a_root_that_was_not_copied_whole_is_none(data, kept):
    """What is missing is never made up for out of what stands beside it."""
    size, *digits = data.draw(spelled(kept._replace(origin=""))).split()
    at = data.draw(st.integers(0, len(digits) - 1))
    place = data.draw(st.integers(0, len(digits[at]) - 1))
    digits[at] = digits[at][:place] + digits[at][place + 1 :]
    for cut in ([size, *digits], digits, [size]):
        with pytest.raises(UnreadableError) as refused:
            read_root(" ".join(cut))
        one_line(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.sampled_from((*FIELDS, "leaf")), JSON)
def test_a_value_of_another_kind_is_no_entry(name, value):
    values = json.loads(bundles.lines(LOG)[0])
    assume(values[name] != value)
    line = json.dumps({**values, name: value}, ensure_ascii=False, separators=(",", ":"))
    try:
        entry = verify.read_entry(line)
    except UnreadableError:
        return
    # What is a text, and of the right form, is for the hash to refuse.
    assert verify.leaf_of(verify.parts_of(entry.texts)) != entry.leaf


@pytest.mark.parametrize("line", ["[" * 100_000, "1" * 10_000, '{"id":' * 50_000, "null", '"x"'])
def test_a_line_that_would_exhaust_the_reader_is_no_entry(line):
    with pytest.raises(UnreadableError):
        verify.read_entry(line)
