"""A rush at the door takes neither the memory nor both cores from those who are inside."""

import threading
import time

from nrm.security import passwords

RUSH = 8


class Counting:
    """Hashes nothing, but knows how many are inside at once."""

    def __init__(self):
        self.lock, self.inside, self.seen = threading.Lock(), 0, []

    def _busy(self):
        with self.lock:
            self.inside += 1
            self.seen.append(self.inside)
        time.sleep(0.02)
        with self.lock:
            self.inside -= 1

    def hash(self, password):
        self._busy()
        return password

    def verify(self, password_hash, password):
        del password_hash, password
        self._busy()


def test_no_more_than_two_are_hashed_or_compared_at_once(monkeypatch, counted):
    hasher, begin = Counting(), threading.Barrier(RUSH)
    monkeypatch.setattr(passwords, "_HASHER", hasher)

    def rush():
        begin.wait()
        passwords.hash_password("practice-makes-steady")
        passwords.verify_password("practice-makes-steady", "kept")
        passwords.verify_password("practice-makes-steady", None)

    threads = [threading.Thread(target=rush) for _ in range(RUSH)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(hasher.seen), max(hasher.seen), hasher.inside) == (3 * RUSH, 2, 0)
    counted(f"{RUSH} at the door at once: {3 * RUSH} hashes, at most {max(hasher.seen)} together")
