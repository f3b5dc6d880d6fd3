"""The tree in tiles: the root that RFC 6962 defines, however it was grown, and its proofs."""

import hashlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.audit.tree import Tree, grown, sound
from nrm.audit.verify import EMPTY_ROOT, Growing, UnreadableError, consistent, includes, node

SIZE = 600


def leaf(number):
    return hashlib.sha256(str(number).encode()).digest()


LEAVES = [leaf(number) for number in range(SIZE)]


def defined(leaves):
    """Return the root as the RFC writes it down."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node(defined(leaves[:middle]), defined(leaves[middle:]))


class Tiles(dict):
    """A store of tiles, as the database is one."""

    def read(self, level, position):
        return self.get((level, position), b"")

    def grow(self, size, leaves):
        self.update(grown(size, leaves, self.read))
        return size + len(leaves)


@pytest.fixture(scope="module")
def tree():
    tiles = Tiles()
    tiles.grow(0, LEAVES)
    return Tree(SIZE, tiles.read)


@given(st.lists(st.integers(1, 300), max_size=6))
def test_however_it_grows_it_is_the_same_tree(batches):
    tiles, size, growing = Tiles(), 0, Growing()
    for batch in batches:
        new = [leaf(number) for number in range(size, size + batch)]
        size = tiles.grow(size, new)
        for one in new:
            growing.append(one)
    assert Tree(size, tiles.read).root() == growing.root()
    whole = Tiles()
    whole.grow(0, [leaf(number) for number in range(size)])
    assert whole == tiles


def test_the_root_is_the_one_of_the_rfc(tree):
    for size in range(0, SIZE, 7):
        assert tree.root(size) == defined(LEAVES[:size])


def test_every_proof_of_a_small_tree_holds_and_no_other(tree):
    for size in range(1, 40):
        root = tree.root(size)
        for index in range(size):
            path = tree.inclusion(index, size)
            assert includes(LEAVES[index], index, size, path, root)
            assert not includes(LEAVES[index], index + 1, size, path, root)
        for old in range(size + 1):
            path = tree.consistency(old, size)
            assert consistent(old, tree.root(old), size, root, path)
            assert not consistent(old, leaf("other"), size, root, path)


def test_an_earlier_tree_grows_on_to_the_same_root(tree):
    for size in (0, 1, 255, 256, 257, 511, 513, SIZE):
        growing = tree.beginning(size)
        assert growing.root() == tree.root(size)
        for one in LEAVES[size:]:
            growing.append(one)
        assert growing.root() == tree.root()


def test_a_tree_of_three_levels_of_tiles():
    tiles, size, growing, chance = Tiles(), 0, Growing(), Random(3)
    for number in range(70_000):
        growing.append(leaf(number))
    while size < growing.size:
        batch = min(chance.randrange(1, 9_000), growing.size - size)
        size = tiles.grow(size, [leaf(number) for number in range(size, size + batch)])
    assert max(level for level, _ in tiles) == 2
    tree = Tree(size, tiles.read)
    assert tree.root() == growing.root()
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        assert includes(leaf(index), index, size, tree.inclusion(index), tree.root())
    for old in (1, 256, 65_536, 65_537, 69_999):
        assert consistent(old, tree.root(old), size, tree.root(), tree.consistency(old))


def test_nothing_is_proved_from_a_tree_with_a_gap():
    tiles = Tiles()
    tiles.grow(0, LEAVES)
    tiles[0, 1] = tiles[0, 1][:-32]
    with pytest.raises(UnreadableError, match="gap"):
        Tree(SIZE, tiles.read).inclusion(300)
    tiles[0, 2] = tiles[0, 2][:-1]
    with pytest.raises(UnreadableError, match="gap"):
        tiles.grow(SIZE, [leaf(0)])


@pytest.mark.parametrize("spoilt", [b"", b"\0" * 31, b"\0" * 33, "text", None, 7])
def test_a_spoilt_leaf_spoils_no_tile(spoilt):
    assert sound(spoilt) == bytes(32)
    assert sound(LEAVES[0]) == LEAVES[0]
