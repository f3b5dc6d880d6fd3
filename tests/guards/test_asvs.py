"""What the ASVS asks stands in the document, and every test that it names is there."""

import ast
import functools
import re

import pytest

from tests.databases import ROOT

pytestmark = pytest.mark.databases("sqlite")

DOCUMENT = ROOT / "docs" / "security" / "asvs.md"
# The requirements of ASVS 5.0.0 that were chosen for this program; none may be forgotten.
CHOSEN = (
    # Level 1
    "1.2.1 1.2.2 1.2.4 2.2.1 2.2.2 2.3.1 3.2.1 3.3.1 3.4.1 3.4.2 3.5.1 3.5.3 5.2.1 5.2.2 5.3.1 "
    "5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1 "
    "7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 11.3.2 11.4.1 13.4.1 14.2.1 14.3.1 15.3.1 "
    # Level 2
    "2.3.2 2.3.3 2.3.4 2.4.1 3.3.2 3.3.3 3.3.4 3.4.3 3.4.4 3.4.5 3.4.6 3.7.2 4.1.3 5.4.1 5.4.2 "
    "6.2.9 6.2.11 6.2.12 6.3.3 6.3.4 6.4.3 6.5.1 6.5.2 6.5.5 6.6.3 6.8.1 6.8.2 6.8.4 7.1.1 7.1.2 "
    "7.3.1 7.3.2 7.4.3 7.4.5 7.5.1 7.5.2 8.1.2 8.2.3 8.4.1 10.1.1 10.1.2 10.2.1 10.2.2 10.5.1 "
    "10.5.2 10.5.3 10.5.4 10.5.5 11.1.1 11.1.2 11.2.2 11.2.3 11.3.3 11.4.2 11.5.1 13.2.2 13.3.1 "
    "13.3.2 13.4.2 13.4.5 14.1.1 14.1.2 14.2.2 14.2.3 14.2.4 14.3.2 14.3.3 15.1.2 15.2.2 15.3.3 "
    "15.3.5 16.1.1 16.2.1 16.2.2 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 "
    "16.5.2 16.5.3 "
    # Level 3, as far as it is worth having
    "1.2.10 2.3.5 3.5.7 3.5.8 6.3.5 6.3.7 6.3.8 6.4.6 6.5.6 7.5.3 8.2.4 8.3.2 11.1.4 11.2.4 "
    "11.2.5 11.3.4 13.1.4 13.3.4 14.2.6 14.2.7 14.2.8 15.4.2 16.5.4 "
    # Not to be had
    "11.7.1 13.3.3"
)
LINE = re.compile(r"\| (\d+\.\d+\.\d+) \| (.*?) \| (.*) \|")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
OPEN, APART = "Not yet: ", "Does not apply: "


def chosen():
    return set(CHOSEN.split())


def lines():
    """Read the lines of the document: the number, what must hold, and what shows it."""
    return [
        found.groups()
        for found in map(LINE.fullmatch, DOCUMENT.read_text(encoding="utf-8").splitlines())
        if found
    ]


@functools.cache
def names_in(path):
    """Name the tests of a file; none of it is run."""
    file = ROOT / path
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_requirement_stands_there_once():
    numbers = [number for number, _, _ in lines()]
    assert len(numbers) == len(set(numbers))
    assert set(numbers) == chosen()


def test_every_line_is_shown_or_says_why_it_is_not(counted):
    shown = [number for number, _, by in lines() if TEST.search(by)]
    waits = [number for number, _, by in lines() if OPEN in by]
    apart = [number for number, _, by in lines() if by.startswith(APART)]
    silent = {number for number, what, _ in lines() if not what.strip()}
    assert chosen() - {*shown, *waits, *apart} == set()
    assert silent == set()
    assert not set(apart) & {*shown, *waits}
    # A reason is more than the word that announces it.
    assert all(len(by.partition(": ")[2]) > 20 for _, _, by in lines() if not TEST.search(by))
    counted(
        f"{len(chosen())} requirements: {len(shown)} shown by tests, {len(waits)} open, "
        f"{len(apart)} do not apply"
    )


def test_every_test_that_is_named_is_there(counted):
    named = TEST.findall(DOCUMENT.read_text(encoding="utf-8"))
    gone = [f"{path}::{name}" for path, name in named if name not in names_in(path)]
    assert gone == []
    # What reads like the name of a test is one, so that a slip of the pen is no reason either.
    assert len(re.findall(r"::test_\w+", DOCUMENT.read_text(encoding="utf-8"))) == len(named)
    counted(f"{len(set(named))} tests named, all of them there")
