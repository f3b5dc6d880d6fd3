"""The pages on commands and settings name every one of them."""

import re
from pathlib import Path

import click
import pytest

from nrm.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def commands(group, path="nrm"):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@pytest.mark.parametrize(("path", "command"), list(commands(main)), ids=str)
def test_every_command_and_option_is_described(path, command):
    assert f"## {path}\n" in COMMANDS
    section = COMMANDS.split(f"## {path}\n")[1].split("\n## ")[0]
    for option in command.params:
        assert f"`{option.opts[0]}`" in section
        assert option.help
    assert command.help


def test_every_setting_is_described():
    sources = [ROOT / "config.py", ROOT / "Makefile", *ROOT.glob("nrm/**/*.py")]
    sources += ROOT.glob("tests/**/*.py")
    used = {
        name
        for source in sources
        for name in re.findall(r"\bNRM_[A-Z][A-Z_]+\b", source.read_text(encoding="utf-8"))
    }
    assert used
    for name in (*used, "PORT"):
        assert f"`{name}`" in SETTINGS
