"""The compiled style sheet and scripts, under names that change with their content."""

import json
import re
from pathlib import Path

from flask import Flask, url_for

from nrm.web import logs

_BUILD = re.compile(r"/static/build/[0-9a-f]+/")


def register(app: Flask) -> None:
    """Let templates say `asset("nrm.css")`; a copy without a build says so at the start."""
    manifest = Path(str(app.static_folder)) / "build" / "manifest.json"
    base = json.loads(manifest.read_text())["base"] if manifest.exists() else None
    if base is None:
        logs.write("no style sheet: run make assets")

    def asset(name: str) -> str:
        return url_for("static", filename=f"{base or 'build'}/{name}")

    app.jinja_env.globals["asset"] = asset


def is_immutable(path: str, url: str) -> bool:
    """Say whether a file's name changes with its content, so that browsers keep it for good."""
    del path
    return _BUILD.match(url) is not None
