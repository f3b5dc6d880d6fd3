"""Processes that die by a signal no program can catch, at a moment that nobody chose.

One child imports the program once; every life after that is a fork of it, so that twenty deaths
take seconds. What a life has said on its pipe before it died was acknowledged, and must be there.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROOF = bool(os.environ.get("NRM_PROOF"))

# `acts(argv, say)` is what the life does, again and again, until it is killed.
_NURSERY = """
import os, sys
{script}

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

for line in sys.stdin:
    born = os.fork()
    if not born:
        try:
            acts([*sys.argv[1:], *line.split()], say)
        finally:
            os._exit(0)
    os.write(1, f"born {{born}}\\n".encode())
    os.waitpid(born, 0)
    os.write(1, b"dead\\n")
"""


# Where a life is told no place, it dies at a moment that nobody chose.
ANYWHERE = "anywhere"


def lives(script, arguments, deaths, longest=0.5, seed=1, places=()):
    """Let `acts` of the script live and be killed so many times: what each life acknowledged.

    Where there are places, the last argument of `acts` is the one where this life waits for its
    death, in turn: the word that it says there.
    """
    chance = random.Random(seed)
    with nursery(script, arguments) as child:
        for number in range(deaths):
            place = places[number % len(places)] if places else ""
            yield one_life(child, chance.uniform(0.02, longest), place)


@contextlib.contextmanager
def nursery(script, arguments):
    child = subprocess.Popen(
        [sys.executable, "-c", _NURSERY.format(script=script), *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.stdin.close()
        child.stdout.close()
        assert child.wait(timeout=30) == 0


def one_life(child, lasts, place=""):
    """Begin a life, wait for its first word, and kill it after so many seconds more.

    One with a place to die at is killed there, once it has said the word.
    """
    child.stdin.write(f"{place}\n")
    child.stdin.flush()
    born, said, due = None, [], place not in {"", ANYWHERE}
    while born is None or not said or (due and said[-1][0] != place):
        word = child.stdout.readline().split()
        assert word, "the nursery died"
        assert word != ["dead"], "a life ended by itself"
        if word[0] == "born":
            born = int(word[1])
        else:
            said.append(word)
    if not due:
        time.sleep(lasts)
    os.kill(born, signal.SIGKILL)
    while (word := child.stdout.readline().split()) != ["dead"]:
        said.append(word)
    return said
