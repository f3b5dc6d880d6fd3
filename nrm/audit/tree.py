"""The tree over the log, kept as tiles of 256 hashes (C2SP tlog-tiles): growing it, proving in it.

Checking a proof is no part of this: that stands in `verify`, where whoever does not trust us
finds it in one file.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from nrm.audit.verify import EMPTY_ROOT, HASH_BYTES, Growing, UnreadableError, node

WIDTH = 256
_LEVELS = 8
_TILE_BYTES = WIDTH * HASH_BYTES

# Gives the hashes of the tile at (level, position), as far as they are written.
ReadTile: TypeAlias = Callable[[int, int], bytes]
Tiles: TypeAlias = dict[tuple[int, int], bytes]


def sound(leaf: object) -> bytes:
    """Return a stored leaf as it goes into the tree: zeros where somebody spoilt it.

    So a spoilt leaf spoils no tile, and its entry is found to be not as it was written.
    """
    return leaf if isinstance(leaf, bytes) and len(leaf) == HASH_BYTES else bytes(HASH_BYTES)


def grown(size: int, leaves: Sequence[bytes], read: ReadTile) -> Tiles:
    """Return the tiles that change when leaves are added to a tree of this size.

    Raises UnreadableError where a tile that should grow is not there as it was left.
    """
    changed: Tiles = {}
    hashes, level, written = leaves, 0, size
    # A tile that becomes full gives one hash to the level above it.
    while hashes:
        full: list[bytes] = []
        position, filled = divmod(written, WIDTH)
        tile = _whole(read(level, position) if filled else b"", filled)
        for digest in hashes:
            tile += digest
            changed[level, position] = tile
            if len(tile) == _TILE_BYTES:
                full.append(_folded(tile))
                position, tile = position + 1, b""
        hashes, level, written = full, level + 1, written // WIDTH
    return changed


class Tree:
    """A tree of a size, read tile by tile; each tile is read once.

    Raises UnreadableError where a tile is not whole any more.
    """

    def __init__(self, size: int, read: ReadTile) -> None:
        self.size = size
        self.read = read
        self._tiles: Tiles = {}

    def root(self, size: int | None = None) -> bytes:
        """Return the root hash, of the whole tree or of its beginning."""
        upto = self.size if size is None else size
        return self._hash(0, upto) if upto else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the path that proves that a leaf is in the tree (RFC 6962, section 2.1.1)."""
        path, begin, end = [], 0, self.size if size is None else size
        while end - begin > 1:
            middle = begin + _left(end - begin)
            if index < middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(begin, middle))
                begin = middle
        return path[::-1]

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Return the path that proves that the tree only grew (RFC 6962, section 2.1.2)."""
        path, begin, end = [], 0, self.size if size is None else size
        if not 0 < old_size < end:
            return []
        # Whether the old tree is, up to here, one complete subtree of which the root is known.
        known = True
        while old_size != end:
            middle = begin + _left(end - begin)
            if old_size <= middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(begin, middle))
                begin, known = middle, False
        return [*([] if known else [self._hash(begin, end)]), *path[::-1]]

    def beginning(self, size: int) -> Growing:
        """Return the tree as it was at a smaller size, ready to grow again."""
        peaks, begin = [], 0
        while begin < size:
            end = begin + (1 << (size - begin).bit_length() - 1)
            peaks.append(self._hash(begin, end))
            begin = end
        return Growing(size, peaks)

    def _hash(self, begin: int, end: int) -> bytes:
        """Return the hash over the leaves from one place to another."""
        length = end - begin
        if length & (length - 1):
            middle = begin + _left(length)
            return node(self._hash(begin, middle), self._hash(middle, end))
        level, within = divmod(length.bit_length() - 1, _LEVELS)
        first = begin >> (level * _LEVELS)
        position, offset = divmod(first, WIDTH)
        start = offset * HASH_BYTES
        hashes = self._tile(level, position)[start : start + (HASH_BYTES << within)]
        return _folded(_whole(hashes, 1 << within))

    def _tile(self, level: int, position: int) -> bytes:
        tile = self._tiles.get((level, position))
        if tile is None:
            tile = self._tiles[level, position] = self.read(level, position)
        return tile


def _whole(hashes: bytes, count: int) -> bytes:
    """Refuse what is no longer whole: nothing is grown or proved from a tree with a gap."""
    if len(hashes) != count * HASH_BYTES:
        raise UnreadableError("the stored tree has a gap: run nrm audit verify")
    return hashes


def _left(length: int) -> int:
    """Return how many leaves the left of two subtrees has: the largest power of two below."""
    return 1 << (length - 1).bit_length() - 1


def _folded(tile: bytes) -> bytes:
    """Return the hash over hashes side by side, of which there are a power of two."""
    hashes = [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
    while len(hashes) > 1:
        hashes = list(map(node, hashes[::2], hashes[1::2]))
    return hashes[0]
