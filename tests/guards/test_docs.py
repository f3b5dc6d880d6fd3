"""The documents say what the program does: drawn from it, complete, pointing at what is there."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from nrm.domain.lifecycle import LIFECYCLES
from nrm.domain.roles import ROLE_LABEL, Permission

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
DRAW = "tools/draw_mechanism.py"

# A path as it stands in a text, perhaps with the name of what is meant inside that file.
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|md|csv|sh))(?::(\w+))?`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
# Made at set-up, or by a running installation: rightly named, and not in a fresh checkout.
MADE_LATER = re.compile(
    r"(?:\.venv|node_modules|instance|build|static/build|tests/artefacts)(?:/|$)"
)


@cache
def committed():
    """List what is or would be committed."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others"]
    listed = subprocess.run(
        [*git, "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def documents():
    return [ROOT / name for name in committed() if name.endswith(".md")]


def read(name):
    return (DOCS / name).read_text(encoding="utf-8")


def hand_written(text):
    """Take away the generated parts, which the first test looks at."""
    return re.sub(r"<!-- generated: .*?<!-- end -->", "", text, flags=re.DOTALL)


# Drawn from the program.


def test_what_is_drawn_from_the_program_has_not_drifted():
    drawn = subprocess.run(
        [sys.executable, DRAW], cwd=ROOT, check=False, capture_output=True, text=True
    )
    advice = f"run: python {DRAW} --write\n{drawn.stdout}{drawn.stderr}"
    assert drawn.returncode == 0, advice


def test_every_drawn_part_has_its_end():
    parts = 0
    for path in documents():
        text = path.read_text(encoding="utf-8")
        opened = re.findall(r"<!-- generated: ([^>]+?) -->", text)
        assert len(opened) == text.count("<!-- end -->"), path.name
        parts += len(opened)
    # Otherwise the test above would have looked at nothing.
    assert parts == len(LIFECYCLES) + len(["access", "relations", "roles", "files"])


# Complete.


@pytest.mark.parametrize("one", LIFECYCLES, ids=lambda one: one.name)
def test_the_mechanism_names_every_state_and_step(one):
    text = read("mechanism.md")
    words = [state.value for state in one.states] + [step.name for step in one.steps]
    assert [word for word in words if f"`{word}`" not in text] == []
    assert [step.label for step in one.steps if step.label not in text] == []


def test_access_names_every_role_and_permission():
    text = read("security/access.md")
    assert [name for name in Permission if f"| `{name}` |" not in text] == []
    assert [role for role in ROLE_LABEL.values() if f" {role} |" not in text] == []


def test_the_map_names_every_folder():
    text = read("map.md")
    folders = {Path(name).parts[0] for name in committed() if "/" in name}
    assert [folder for folder in sorted(folders) if f"| `{folder}/` |" not in text] == []


def test_the_map_names_every_file_of_the_program():
    listed = re.findall(r"^\| `([^`]+)` \|", read("map.md"), re.MULTILINE)
    files = [
        name
        for name in committed()
        if name.startswith("nrm/") and (ROOT / name).read_text(encoding="utf-8").strip()
    ]
    assert files
    assert [name for name in files if listed.count(name) != 1] == []


def test_the_map_leads_through_the_five_hops_of_accepting_a_referral():
    text = read("map.md")
    hops = re.findall(r"^\| [1-5] \| `([^`]+)`", text, re.MULTILINE)
    assert hops == [
        "nrm/web/provision.py:accept",
        "nrm/services/provision.py:accept",
        "nrm/domain/policy.py:require",
        "nrm/domain/lifecycle.py:ACCEPT",
        "nrm/services/audit.py:record",
    ]
    # It is the first thing that somebody reads there.
    assert text.index(hops[0]) < 700


# Pointing at what is there.


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_points_at_nothing_that_is_gone(path):
    text = path.read_text(encoding="utf-8")
    named = {name for name, _ in PATH.findall(text) if "/" in name}
    gone = {
        name
        for name in named
        # A floor of the program may be called by its name alone.
        if not any((start / name).exists() for start in (ROOT, ROOT / "nrm", path.parent))
        if not MADE_LATER.match(name) and looks_like_ours(name)
    }
    links = {link for link in LINK.findall(text) if not (path.parent / link).exists()}
    assert gone | links == set()


def looks_like_ours(name):
    """Tell a path of this repository from any other word with a stroke in it."""
    start = name.split("/")[0]
    return any((folder / start).is_dir() for folder in (ROOT, ROOT / "nrm"))


def test_what_a_document_names_inside_a_file_is_there():
    named = {
        (name, inside)
        for path in documents()
        for name, inside in PATH.findall(path.read_text(encoding="utf-8"))
        if inside
    }
    assert len(named) > 40
    assert [f"{name}:{inside}" for name, inside in sorted(named) if inside not in held(name)] == []


@cache
def held(name):
    """List what a module defines at its top."""
    names = set()
    for node in ast.parse((ROOT / name).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


# Decisions.


def test_decisions_are_numbered_without_a_gap():
    assert [path.name[:4] for path in DECISIONS] == [
        f"{number:04}" for number in range(1, len(DECISIONS) + 1)
    ]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_says_why_what_and_then(path):
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0].startswith(f"# {path.name[:4]}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]
    assert len(lines) <= 30


def test_the_law_is_never_quoted_as_read_where_it_was_not():
    # What came to us second hand says so, until somebody has read the text.
    rows = [row for row in hand_written(read("mechanism.md")).splitlines() if "Law 51/2018" in row]
    assert rows
    assert [row for row in rows if "to be verified" not in row] == []
