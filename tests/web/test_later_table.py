"""A table that a later stage brings is counted, frozen and served like every other."""

import csv
import io

import pytest

from nrm.domain import facts
from nrm.services import figures, statistics
from nrm.statistics.catalogue import Counts, catalogue
from tests.page_checks import words
from tests.releases import flagged, frozen
from tests.statistics.cases import LATER_FACT, RETURN, later_table


@pytest.fixture
def later(monkeypatch):
    """Add one line to the facts and one to the catalogue, and nothing else."""
    for name, fact in LATER_FACT.items():
        monkeypatch.setitem(facts.FACTS, name, fact)
    listed = later_table(facts.FACTS)
    for reader in (statistics, figures):
        monkeypatch.setattr(reader, "catalogue", lambda of: (*catalogue(of), listed))
    figures.listed.cache_clear()
    yield listed
    figures.listed.cache_clear()


def test_a_table_of_a_later_stage_is_frozen_and_served_like_every_other(
    world, signed_in, settings, later
):
    with world.entered():
        flagged(60, seed=1, assisted_return="stays")
        flagged(60, seed=2, assisted_return="returned_home")
        release_id = frozen(world, settings)
        shown = figures.read(world.actor("analyst"), release_id, (later.number,), world.pack.code)
    kept = {code: shown.kept.figure(Counts.PERSONS, assisted_return=code) for code in RETURN.codes}
    assert kept == {
        "stays": pytest.approx(60, abs=8),
        "returned_home": pytest.approx(60, abs=8),
        "undecided": None,
    }
    page, of_it = signed_in("analyst"), f"/statistics/releases/{release_id}"
    page.get(f"{of_it}/tables")
    html = page.click(later.title)
    assert words(html.h1) == later.title
    assert html.main.select_one(".nrm-figure svg")
    for code in ("stays", "returned_home"):
        assert RETURN.label(code) in words(html.main)
        assert str(kept[code]) in words(html.main)
    html = page.get(f"{of_it}/bulletin")
    assert later.title in [words(one.h3) for one in html.select("section")]
    with page.client.get(f"{of_it}/bulletin.pdf") as answer:
        assert answer.data.startswith(b"%PDF")
    with page.client.get(f"{of_it}/files/csv") as answer:
        lines = list(csv.reader(io.StringIO(answer.get_data(as_text=True))))
    heads = next(line for line in lines if line[0] == "table")
    told = [dict(zip(heads, line, strict=True)) for line in lines if line[0] == later.number]
    assert {
        one["code_1"]: one["figure"] for one in told if one["code_1"] and not one["code_2"]
    } == {code: "" if figure is None else str(figure) for code, figure in kept.items()} | {
        "unknown": ""
    }
