"""The analyst answers who asks, as they do it: choose, read, take the file out, open it."""

from pathlib import Path

import openpyxl
import pytest

from tests.releases import flagged, frozen

TIP = "Figures for the Trafficking in Persons Report of the United States"


@pytest.mark.parametrize("javascript", [True, False])
def test_the_analyst_answers_a_questionnaire_and_takes_it_out(world, settings, enter, javascript):
    with world.entered():
        flagged(200)
        frozen(world, settings)
    analyst = enter("analyst", javascript=javascript)
    analyst.opens("/statistics/questionnaires")
    analyst.arrives_at("Questionnaires")
    analyst.tab.get_by_role("link", name=TIP).click()
    analyst.arrives_at(TIP)
    analyst.sees("The wording is not verified.", "July to September 2025")
    analyst.sees_row("Convictions", "To be answered by: Court")
    with analyst.tab.expect_download() as leaving:
        analyst.tab.get_by_role("link", name="Workbook (XLSX)").click()
    assert leaving.value.suggested_filename == "statistics-2025Q3-provisional-us-tip.xlsx"
    with Path(leaving.value.path()).open("rb") as file:
        assert openpyxl.load_workbook(file).sheetnames == ["About", "Answers"]
