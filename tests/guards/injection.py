"""sqlmap, started against a server of ours on this machine, and what it says that it found."""

import csv
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlencode

PROGRAM = Path(find_spec("sqlmap").origin).with_name("sqlmap.py")
# As Burp keeps a request: lines of signs around what was sent, byte by byte.
RULE = "=" * 54
TESTED = re.compile(r"\[INFO\] (?:testing if )?(\w+) parameter '([^']+)'")


@dataclass(frozen=True)
class Asked:
    """One form as a browser sends it."""

    address: str
    cookie: str
    fields: tuple[tuple[str, str], ...]

    def written(self, host):
        body = urlencode(self.fields)
        lines = [
            f"POST {self.address} HTTP/1.1",
            f"Host: {host}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
            *([f"Cookie: {self.cookie}"] if self.cookie else []),
            "",
            body,
        ]
        text = "\n".join(lines)
        return f"{RULE}\n12:00:00  http://{host}  [127.0.0.1]\n{RULE}\n{text}\n{RULE}\n\n\n\n"


@dataclass(frozen=True)
class Found:
    """What came of it."""

    # Where it says that something can be injected: address, place and parameter.
    injected: list[tuple[str, str, str]]
    tested: set[str]
    said: str


def search(host, asked, folder, *, level, seconds):
    """Let it look at every field of these forms; raises TimeoutExpired where that takes longer."""
    requests, results, said = (folder / name for name in ("requests.txt", "results.csv", "said"))
    requests.write_text("".join(one.written(host) for one in asked), encoding="utf-8")
    with said.open("w", encoding="utf-8") as output:
        subprocess.run(
            [
                sys.executable,
                str(PROGRAM),
                *("-l", str(requests), "--batch", "--crawl=0", "--disable-coloring"),
                *("--dbms=sqlite", f"--level={level}", "--risk=1", "--technique=BEU"),
                # A refused form is an answer like any other, and so is one that leads on.
                *("--ignore-code=*", "--ignore-redirects", "--skip-waf"),
                *("--skip=csrf_token", "--threads=4", "--timeout=20", "--retries=0"),
                *(f"--output-dir={folder}", f"--results-file={results}"),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            # Nothing of it may be kept from an earlier run, nor looked for elsewhere.
            env={"HOME": str(folder), "PATH": "", "PYTHONWARNINGS": "ignore"},
            timeout=seconds,
        )
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    rows = list(csv.reader(lines))[1:]
    # What it took back by itself is none: a form whose first right answer makes something, and
    # whose second is told that it is there, looks for a moment as if a condition decided.
    held = [row for row in rows if row[2] and "false positive" not in row[4]]
    injected = [(row[0], row[1], row[2]) for row in held]
    words = said.read_text(encoding="utf-8")
    return Found(injected, {f"{one[1]} {one[2]}" for one in TESTED.finditer(words)}, words)
