"""The custodians' recovery sheets, as files to be printed once and destroyed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from string import Template

from config import Settings
from nrm.audit.actions import Action
from nrm.db import Unit, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.security.keyfile import Root, write_secretly
from nrm.security.recovery import CUSTODIANS, NEEDED, WORDS, Sheets, mark
from nrm.services import recovery
from nrm.services.audit import record

PRINT_THEM = (
    "Print each sheet, hand it to its custodian in a sealed envelope, then destroy the files:\n"
    "docs/security/keys.md describes the ceremony. Prove the sheets: nrm key drill"
)


def folder(settings: Settings) -> Path:
    """Say where sheets are written, beside the key files."""
    return settings.key_file.parent / "recovery"


def files(settings: Settings) -> list[Path]:
    """Name the file of each custodian's sheet."""
    return [folder(settings) / f"custodian-{number}.html" for number in range(1, CUSTODIANS + 1)]


def lying(settings: Settings) -> list[Path]:
    """List the sheets that were written and not destroyed yet."""
    return [file for file in files(settings) if file.exists()]


@contextmanager
def made(settings: Settings, openers: Iterable[Root]) -> Iterator[Unit]:
    """Make a new set of sheets in one act, which may go on; if it fails, the set is void."""
    try:
        with unit_of_work() as unit:
            new = recovery.make_copy(unit, openers)
            _write(settings, new, unit.now)
            record(unit, HOUSEKEEPING, Action.KEY_SHARE)
            yield unit
    except BaseException:
        remove(settings)
        raise


def remove(settings: Settings) -> None:
    """Take away the sheets that lie there, and the folder that was made for them."""
    for file in files(settings):
        file.unlink(missing_ok=True)
    with suppress(OSError):
        folder(settings).rmdir()


def _write(settings: Settings, sheets: Sheets, made_at: datetime) -> None:
    """Write each custodian's sheet, for its owner alone, in place of a void one."""
    remove(settings)
    folder(settings).mkdir(mode=0o700, parents=True, exist_ok=True)
    for number, (file, words) in enumerate(zip(files(settings), sheets.words, strict=True), 1):
        page = _PAGE.substitute(
            number=number,
            custodians=CUSTODIANS,
            needed=NEEDED,
            count=WORDS,
            mark=mark(sheets.public),
            made=f"{made_at:%d %B %Y}",
            words="\n".join(f"<li>{word}</li>" for word in words.split()),
            opened="\n".join([_OPENED] * 4),
        )
        write_secretly(file, page)


_OPENED = "<tr><td></td><td></td><td></td><td></td></tr>"
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Recovery sheet $number of $custodians</title>
<style>
  @page { size: A4; margin: 12mm 14mm; }
  body { font: 9.5pt/1.3 sans-serif; color: #000; background: #fff; max-width: 182mm;
    margin: 0 auto; }
  h1 { font-size: 20pt; margin: 0; }
  h2 { font-size: 11pt; margin: 3mm 0 1mm; }
  p { margin: 1mm 0; }
  ul { margin: 1mm 0; padding-left: 5mm; }
  .mark { font-size: 12pt; margin: 1mm 0 2mm; }
  .words { columns: 3; border: 0.6mm solid #000; margin: 0; padding: 3mm 3mm 3mm 16mm;
    font: bold 13pt/1.4 monospace; }
  .words li { break-inside: avoid; }
  table { border-collapse: collapse; width: 100%; table-layout: fixed; }
  th { text-align: left; font-weight: normal; }
  th, td { border: 0.2mm solid #000; padding: 0.8mm 2mm; height: 6mm; }
  .lines th { width: 60mm; }
</style>
</head>
<body>
<h1>Recovery sheet $number of $custodians</h1>
<p class="mark">Mark of this set: <strong>$mark</strong>. Made on $made. Secret.</p>
<ol class="words">
$words
</ol>
<h2>What this is</h2>
<p>Our case system keeps what people told us under lock. If its keys are lost, any $needed of the
$custodians sheets with the mark $mark bring them back. One sheet alone opens nothing. Two sheets
together with the database open everything: they never lie in one place.</p>
<h2>Who keeps it</h2>
<p>One custodian, in person, in a safe of the custodian’s own office. No custodian runs the servers,
and no two of them work under the same roof.</p>
<h2>Never</h2>
<ul>
<li>copy it, photograph it, scan it, read it out on a telephone or send it;</li>
<li>type it anywhere but at the system’s own console, with a second person in the room;</li>
<li>keep it with another sheet, or hand it over to anyone but the next custodian.</li>
</ul>
<h2>Once a year, and when the keys are lost</h2>
<p>Two custodians bring their envelopes to the console and check the seals. For the yearly drill
the operator runs <strong>nrm key drill</strong>, which changes nothing; to bring lost keys back,
<strong>nrm key recover</strong>. Type the $count words in the order of their numbers, on one line.
Then put the sheet into a new envelope, seal it, and write down below why it was opened.</p>
<p>If a seal is broken, a sheet is lost, or you leave your office, tell whoever is in charge of the
system on the same day: new sheets are made, and the old ones no longer open the database.</p>
<h2>Received</h2>
<table class="lines">
<tr><th>Name and office of the custodian</th><td></td></tr>
<tr><th>Date and signature</th><td></td></tr>
<tr><th>Seal number of the envelope</th><td></td></tr>
</table>
<h2>Opened</h2>
<table>
<tr><th>Date</th><th>Why</th><th>New seal number</th><th>Signatures of both</th></tr>
$opened
</table>
</body>
</html>
""")
