"""The auditor takes entries out of the log, as they do it: search, save, open the file."""

import csv
from pathlib import Path

from tests import world as worlds


def test_the_auditor_takes_out_what_a_search_found(world, enter):
    case, _sent = worlds.accepted(world)
    curious = enter("analyst")
    curious.tab.goto(f"/cases/{case}")
    auditor = enter("auditor")
    auditor.arrives_at("Audit log")
    auditor.chooses("Outcome", "Refused")
    auditor.presses("Search")
    auditor.arrives_at("Audit log")
    auditor.sees_row("Access refused", "Practice Analyst", "not permitted to open case files")
    with auditor.tab.expect_download() as leaving:
        auditor.button("Save as a table (CSV)").click()
    assert leaving.value.suggested_filename.startswith("log-")
    with Path(leaving.value.path()).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["act"], row["outcome"]) for row in rows] == [("access:refused", "refused")]
    # The page stays where it was, and the log knows how the table left.
    auditor.opens("/audit")
    auditor.sees_row("Entries of the log taken out", "Practice Auditor")
    auditor.sees_row("Entries of the log taken out", "Begun")
