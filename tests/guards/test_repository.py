"""What must hold for the repository itself, whatever the program does."""

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(
    r"[A-Za-z0-9._-]+(?:\[[A-Za-z0-9,._-]+\])?==\S+(?: ; .+)?(?: --hash=sha256:[0-9a-f]{64})+"
)
# Where a deployment may well keep its copy, and its documents say so.
USUAL_PLACES = ("/app", "/opt", "/srv", "/usr", "/var")
# Somebody's own machine.
HOME = re.compile(r"(?<![\w.$~{/-])/(?:home|Users)/[a-z][\w-]*/|(?<![\w.])[A-Z]:\\Users\\")
# The brackets keep these patterns from finding themselves.
UNFINISHED = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b|(?i:lorem ipsu[m])")
REGISTRIES = re.compile(r"registry\.npmj[s]\.org|files\.pythonhoste[d]\.org|pypi\.or[g]/simple")
BLANKET = re.compile(r"#\s*(?:(?:ruff|flake8):\s*)?noq[a]\s*$|#\s*type:\s*ignor[e]\s*(?:#|$)")
FOREIGN_SIGNS = re.compile(
    r"gov\.uk|gds transport|(?<![a-z])(?:crown|crest)(?![a-z])", re.IGNORECASE
)
SERVED = ("templates", "static", "translations")
READABLE = {".css", ".html", ".js", ".json", ".po", ".svg", ".txt", ".xml", ".webmanifest"}
NOT_OURS = {"LICENSE"}


def tracked_files():
    """List what is or would be committed."""
    listed = subprocess.run(
        # The checkout may belong to another user than the one who tests, as in a container.
        [
            "git",
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def tracked_texts():
    for path in tracked_files():
        if path.name not in NOT_OURS:
            try:
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def places(pattern):
    """Say where in the repository a pattern stands, as file:line."""
    return [
        f"{path}:{number}: {line.strip()[:80]}"
        for path, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_and_hashed(path):
    lines = (line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines())
    entries = re.sub(r"\s*\\\s+", " ", "\n".join(lines)).split("\n")
    entries = [entry.strip() for entry in entries if entry.strip()]
    assert entries
    assert [entry for entry in entries if not PINNED.fullmatch(entry)] == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").iterdir()), ids=lambda path: path.name
)
def test_no_requirement_file_holds_an_address(path):
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"--(?:extra-)?index-url|--find-links|--trusted-host", text)


def test_every_requirement_file_is_compiled_from_a_list():
    lists = {path.stem for path in (ROOT / "requirements").glob("*.in")}
    assert lists == {path.stem for path in REQUIREMENTS}


def test_the_lock_file_names_no_registry():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []


def test_no_file_names_a_registry():
    assert places(REGISTRIES) == []


def test_no_file_names_a_place_on_somebodys_machine():
    assert places(HOME) == []
    if not str(ROOT).startswith(USUAL_PLACES) and len(ROOT.parts) > 2:
        assert places(re.compile(re.escape(str(ROOT)) + r"(?![\w-])")) == []


def test_nothing_is_left_unfinished():
    assert places(UNFINISHED) == []


def test_nothing_served_wears_the_signs_of_another_government():
    found = [
        str(path.relative_to(ROOT))
        for folder in SERVED
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in READABLE and FOREIGN_SIGNS.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_style_sheet_was_built():
    # Otherwise the guard above would have looked at nothing.
    assert list((ROOT / "static" / "build").rglob("*.css"))


def test_every_ignored_rule_says_why():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("[tool.ruff.lint]")[2].partition("[tool.ruff.lint.mccabe]")[0]
    rules = [line for line in section.splitlines() if re.match(r'\s+"[A-Z]+\d*"', line)]
    assert [line for line in rules if not re.search(r"#\s+\S+ \S+", line)] == []

    settings = tomllib.loads(text)["tool"]["ruff"]["lint"]
    ignored = [settings["ignore"], *settings["per-file-ignores"].values()]
    # One rule, one line: none hides behind its neighbour's reason.
    assert len(rules) == sum(len(codes) for codes in ignored)


def test_no_file_is_excused_from_all_rules():
    assert places(BLANKET) == []


def test_every_skipped_test_says_why():
    silent = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for call in skips(ast.parse(path.read_text(encoding="utf-8")))
        if not says_why(call)
    ]
    assert silent == []


def skips(tree):
    """Find each skip and expected failure, called or used bare as a decorator."""
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail"}:
            yield called.get(id(node), node)


def says_why(node):
    if not isinstance(node, ast.Call):
        return False
    if any(keyword.arg == "reason" for keyword in node.keywords):
        return True
    return node.func.attr == "skip" and bool(node.args)


def test_the_readme_names_every_target_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert targets
    assert [name for name in targets if not re.search(rf"\bmake {name}\b(?!-)", readme)] == []


def test_every_target_of_the_makefile_is_described():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE))
    assert phony == set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
