import re
from itertools import pairwise

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.models import AuditEntry
from nrm.services import figures
from tests.page_checks import words
from tests.releases import counted, flagged, frozen
from tests.world import ONE_PER_ROLE


@pytest.fixture
def release_id(world, settings):
    with world.entered():
        flagged(120)
        return frozen(world, settings)


def address(release_id, ending=""):
    return f"/statistics/releases/{release_id}/bulletin{ending}"


def outcomes(world):
    with world.entered():
        exports = select(AuditEntry.outcome).where(AuditEntry.action == "statistics:export")
        return db.session.scalars(exports.order_by(AuditEntry.seq)).all()


def test_the_page_says_the_whole_release(world, signed_in, release_id):
    html = signed_in("analyst").get(address(release_id))
    assert words(html.h1) == "Statistical bulletin, July to September 2025"
    assert "Provisional" in words(html.select_one(".nrm-release"))
    listed = [one for one in figures.listed(world.pack.code).values() if not one.annual]
    assert [words(one.h3) for one in html.select("section")] == [one.title for one in listed]
    # Every copy that tests is a practice copy. A screen says so at its head, and paper everywhere.
    mark = html.select_one(".nrm-bulletin__mark")
    assert "nrm-bulletin__mark--paper" in mark["class"]
    assert words(mark) == "PRACTICE COPY: everyone here is invented"


def test_headings_do_not_leave_out_a_step(signed_in, release_id):
    html = signed_in("analyst").get(address(release_id))
    steps = [int(one.name[1]) for one in html.main.find_all(re.compile("h[1-6]"))]
    assert steps[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(steps))


def test_every_table_can_be_heard_and_every_picture_is_named(signed_in, release_id):
    html = signed_in("analyst").get(address(release_id))
    for table in html.main.find_all("table"):
        assert words(table.caption)
        heads = table.thead.find_all("th")
        assert all(words(head) and head["scope"] == "col" for head in heads)
        for row in table.tbody.find_all("tr"):
            assert row.th["scope"] == "row"
            # On a phone each figure is said together with what stands over its column.
            assert [cell["data-label"] for cell in row.find_all("td")] == [
                words(head) for head in heads[1:]
            ]
    drawings = html.main.select(".nrm-bulletin__picture svg")
    assert drawings
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert words(html.find(id=drawing["aria-labelledby"].split()[0]))


def test_a_draft_says_that_it_is_one(world, signed_in, settings):
    with world.entered():
        flagged(40)
        release_id = counted(world, settings)
    html = signed_in("analyst").get(address(release_id))
    mark = html.select_one(".nrm-bulletin__mark")
    assert words(mark).startswith("DRAFT")
    assert "nrm-bulletin__mark--paper" not in mark["class"]
    assert words(mark.select_one(".nrm-bulletin__paper")).endswith("everyone here is invented")
    assert "Not frozen yet" in words(html.main)


def test_nothing_of_a_draft_leaves_as_a_file(world, signed_in, settings):
    with world.entered():
        flagged(40)
        release_id = counted(world, settings)
    page = signed_in("analyst")
    html = page.get(address(release_id))
    assert "Download as PDF" not in words(html.main)
    for file in (address(release_id, ".pdf"), f"/statistics/releases/{release_id}/files/csv"):
        html = page.get(file, status=403)
        assert "Only a release that two people signed, and that is frozen" in words(html.main)
    assert outcomes(world) == []


def test_the_file_is_handed_out_and_nothing_of_it_runs_here(world, signed_in, release_id):
    page = signed_in("analyst")
    page.get(address(release_id))
    answer = page.click("Download as PDF")
    assert answer.data.startswith(b"%PDF")
    assert answer.mimetype == "application/pdf"
    assert answer.content_length == len(answer.data)
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="bulletin-2025Q3-provisional.pdf"'
    )
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    answer.close()
    assert outcomes(world) == ["begun", "done"]


def test_whoever_only_asks_how_long_it_is_leaves_no_open_end(world, signed_in, release_id):
    with signed_in("analyst").client.head(address(release_id, ".pdf")) as answer:
        assert int(answer.headers["Content-Length"]) > 0
    assert outcomes(world) == ["begun", "failed"]


def test_a_release_leads_to_its_bulletin_once(signed_in, release_id):
    page = signed_in("analyst")
    html = page.get(f"/statistics/releases/{release_id}")
    assert len(html.find_all("a", href=address(release_id))) == 1
    html = page.click("Bulletin, to read or print")
    assert words(html.h1).startswith("Statistical bulletin")
    assert words(page.click("This release").h1) == "Statistics"


@pytest.mark.parametrize("role", [role for role in HUMAN_ROLES if role is not Role.ANALYST])
def test_nobody_else_reads_it(signed_in, release_id, role):
    page = signed_in(ONE_PER_ROLE[role])
    for ending in ("", ".pdf"):
        page.get(address(release_id, ending), status=403)
