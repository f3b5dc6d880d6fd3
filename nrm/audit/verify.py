"""Whether an entry is still as it was written, as far as the entry alone can tell.

The hash holds no secret and hangs on no other entry. Whoever rewrites an entry together with its
hash, or takes an entry away, is found by the tree over all entries, not here.
"""

import hashlib

from nrm.audit.entry import Entry, leaf_hash


def as_written(entry: Entry, kept_leaf: bytes, detail: bytes | None) -> bool:
    """Recompute the hash of what is stored, and of the sealed detail where it is still there.

    An erased detail changes nothing: the leaf covers its hash, which stays.
    """
    if detail is not None and hashlib.sha256(detail).hexdigest() != entry.detail_sha256:
        return False
    return leaf_hash(entry) == kept_leaf
