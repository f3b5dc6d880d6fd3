"""A quarter as those who publish it live it: prepared, looked at, signed by two, and given out.

What `nrm tick` does with the key of the statistics is done here by calling the same service.
"""

import re
from pathlib import Path

import openpyxl
import pytest

from nrm.domain.flag import quarter
from nrm.services import figures, statistics
from nrm.statistics import periods
from nrm.web.statistics_words import period_words
from tests.releases import flagged, frozen, statistics_of

UNODC = "UNODC questionnaire for the Global Report on Trafficking in Persons"


@pytest.fixture
def quarters(world, settings):
    """Publish the quarter before the last one: both, and both in words."""
    last = periods.before(quarter(world.today))
    before = periods.before(last)
    with world.entered():
        flagged(120, before)
        flagged(120, last, seed=2)
        frozen(world, settings, before)
    with world.app.test_request_context():
        return [(name, period_words(periods.read(name))) for name in (before, last)]


def test_a_quarter_is_prepared_signed_and_given_out(world, settings, enter, quarters):
    (_, before), (name, words) = quarters
    analyst = enter("analyst")
    the_analyst_prepares_the_quarter(analyst, before, words)
    a_tick(world, settings)
    the_analyst_looks_at_it(analyst)
    the_analyst_compares_a_table(world, analyst, before, words)
    the_analyst_signs(analyst, words)
    a_second_person_signs(world, enter("second_analyst"), words)
    a_tick(world, settings)
    the_release_is_frozen(world, analyst, words)
    the_analyst_prints_the_bulletin(analyst, name, words)
    the_analyst_fills_the_questionnaire(analyst, name, words)


def a_tick(world, settings):
    with world.entered(), statistics_of(settings):
        statistics.go_on(world.pack)


# Preparing and looking


def the_analyst_prepares_the_quarter(analyst, before, words):
    analyst.arrives_at("Statistics", picture=False)
    analyst.sees(before)
    analyst.follows("Releases")
    analyst.arrives_at("Releases")
    analyst.sees_row(before, "Provisional", "Frozen")
    analyst.chooses("Which period?", words)
    analyst.ticks("Provisional", under="Which edition?")
    analyst.presses("Prepare")
    analyst.arrives_at(f"{words}, provisional")
    analyst.sees("The release is being counted. It takes about a minute.")


def the_analyst_looks_at_it(analyst):
    analyst.follows("Look again")
    analyst.arrives_at("Statistics")
    analyst.sees("people identified", re.compile("in the release before"), "Draft.")


def the_analyst_compares_a_table(world, analyst, before, words):
    title = str(figures.listed(world.pack.code)["R1"].title)
    analyst.follows("All tables of this release")
    analyst.arrives_at("Tables", picture=False)
    analyst.follows(title)
    analyst.arrives_at(title)
    analyst.follows(before)
    analyst.arrives_at(title)
    analyst.sees(before, words)


# Two people sign


def the_analyst_signs(analyst, words):
    analyst.follows("Releases")
    analyst.sees_row(words, "Draft")
    analyst.follows(words)
    analyst.presses("Sign this release")
    analyst.arrives_at("Statistics", picture=False)
    analyst.sees("You have signed. A second person signs as well.")
    assert not analyst.button("Sign this release").count()


def a_second_person_signs(world, second, words):
    second.follows("Releases")
    second.sees_row(words, "Signed by one person", world.person_name("analyst"))
    second.follows(words)
    second.arrives_at("Statistics", picture=False)
    second.presses("Sign this release")
    second.arrives_at("Statistics", picture=False)
    second.sees("You have signed as the second person. The release is frozen within a minute.")


def the_release_is_frozen(world, analyst, words):
    analyst.follows("Releases")
    analyst.arrives_at("Releases")
    both = ", ".join(world.person_name(name) for name in ("analyst", "second_analyst"))
    analyst.sees_row(words, "Frozen", both)
    analyst.follows(words)
    analyst.arrives_at("Statistics")
    analyst.sees(re.compile("frozen on"))


# Giving it out


def the_analyst_prints_the_bulletin(analyst, name, words):
    analyst.follows("Bulletin, to read or print")
    analyst.arrives_at(re.compile(f"{words}$"))
    with analyst.tab.expect_download() as leaving:
        analyst.tab.get_by_role("link", name="Download as PDF").click()
    assert leaving.value.suggested_filename == f"bulletin-{name}-provisional.pdf"
    assert Path(leaving.value.path()).read_bytes().startswith(b"%PDF-")


def the_analyst_fills_the_questionnaire(analyst, name, words):
    analyst.follows("Questionnaires")
    analyst.follows(UNODC)
    analyst.arrives_at(UNODC)
    analyst.sees(words, "The wording is not verified.")
    analyst.sees_row("Women", re.compile("[0-9]"))
    analyst.sees_row("Males convicted", "To be answered by: Court")
    with analyst.tab.expect_download() as leaving:
        analyst.tab.get_by_role("link", name="Workbook (XLSX)").click()
    assert leaving.value.suggested_filename == f"statistics-{name}-provisional-unodc-glotip.xlsx"
    with Path(leaving.value.path()).open("rb") as file:
        answers = list(openpyxl.load_workbook(file)["Answers"].values)
    [women] = [row for row in answers if "Women" in row]
    assert any(isinstance(cell, int) and cell > 0 for cell in women)
