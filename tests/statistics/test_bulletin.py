import re
from dataclasses import asdict, replace
from datetime import date
from itertools import combinations, product
from random import Random

import pytest
from markupsafe import escape

from nrm import country
from nrm.statistics import bulletin
from nrm.statistics.bulletin import Counted, Published, Voice
from nrm.statistics.bulletin.drawings import LONGEST, MOST_BARS, SHOWN_BY
from nrm.statistics.bulletin.sections import MOST_COLUMNS
from nrm.statistics.catalogue import FORM, Country, Counts, catalogue
from nrm.statistics.periods import Period
from nrm.statistics.pictures import Ground, Square
from nrm.statistics.tables import ANSWERED, Cell

PACK = country.load("rw")
CATALOGUE = catalogue(Country(PACK.code, PACK.provinces, PACK.districts))
QUARTER = Period("2025Q3", "2025Q3")
YEAR = Period("2025Q1", "2025Q4", annual=True)
ENGLISH = Voice(str, lambda day: f"{day.day} {day:%B %Y}", lambda period: period.name)
SQUARES = [
    Square(place.district, place.short, PACK.province(place.district), place.column, place.row)
    for place in PACK.tiles
]
NOT_SHOWN = {"< 10", "too few", "–", ""}


def cells_of(one):
    """List every cell of a table and of its margins."""
    for number in range(len(one.dimensions) + 1):
        for margin in combinations(one.dimensions, number):
            for codes in product(*(dimension.codes for dimension in margin)):
                named = zip((dimension.name for dimension in margin), codes, strict=True)
                yield Cell(named)


def figures(draw):
    """Draw a figure for every cell of every table; of days, only where a step is named."""
    drawn = {counts: {} for counts in Counts}
    for one in CATALOGUE:
        for cell in cells_of(one):
            if one.counts is not Counts.DAYS or "step" in dict(cell):
                drawn[one.counts].setdefault(cell, draw(one.counts))
    return drawn


def at_random(seed, hidden=0.5):
    chance = Random(seed)

    def draw(counts):
        if chance.random() < hidden:
            return None
        return chance.randrange(90) if counts is Counts.DAYS else 5 * chance.randrange(2, 60)

    return figures(draw)


def published(drawn, **changed):
    """Give a release of a quarter with these figures, and nothing before it."""
    period = changed.get("period", QUARTER)
    given = {
        "period": period,
        "figures": drawn,
        "ground": Ground("Practice", SQUARES),
        "edition": "Provisional",
        "frozen_on": date(2025, 11, 2),
        "tables": [one for one in CATALOGUE if period.annual or not one.annual],
        "missing": [one for one in CATALOGUE if one.annual and not period.annual],
        "before": [],
        "practice": False,
    }
    return Published(**{**given, **changed})


def with_figures(*given):
    """Hide everything but these figures: (what it counts, the figure, its codes)."""
    drawn = figures(lambda _counts: None)
    for counts, figure, codes in given:
        drawn[counts][Cell(codes.items())] = figure
    return drawn


def made(drawn, voice=ENGLISH, **changed):
    return bulletin.make(published(drawn, **changed), voice)


def found(drawn, **changed):
    return [finding.text for finding in made(drawn, **changed).findings]


def texts(value):
    """Give every text of a bulletin but the drawings, which have tests of their own."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name != "picture":
                yield from texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts(part)
    elif isinstance(value, str):
        yield value


# What is found.


def test_the_findings_are_sentences_of_the_published_figures():
    drawn = with_figures(
        (Counts.PERSONS, 145, {}),
        (Counts.PERSONS, 105, {"decision": "presumed"}),
        (Counts.REFERRALS, 240, {"answer": "accepted"}),
        (Counts.DAYS, 4, {"step": "sent"}),
        (Counts.PERSONS, 70, {"exploitation": "forced_labour"}),
        (Counts.PERSONS, 55, {"exploitation": "sexual_exploitation"}),
        (Counts.PERSONS, 45, {"age": "child"}),
    )
    assert found(drawn) == [
        "About 145 people were identified.",
        "About 105 people were presumed to be victims.",
        "Providers accepted about 240 referrals.",
        "Half of the people who were referred were referred within 4 days of the flag.",
        (
            "By these figures, the largest form of exploitation was “Forced labour”, with about "
            "70 people."
        ),
        "About 45 of the people identified were under 18.",
    ]


def test_what_is_hidden_is_said_in_words_and_never_as_a_number():
    sentences = found(with_figures())
    assert len(sentences) == 6
    for sentence in sentences:
        assert "ewer than ten" in sentence or sentence.startswith("Too few people")
        assert not re.search(r"\d", sentence.replace("under 18", ""))


def test_the_figure_of_the_release_before_stands_beside_it():
    before = Counted(
        Period("2025Q1", "2025Q2"),
        with_figures((Counts.PERSONS, 120, {}), (Counts.DAYS, 0, {"step": "sent"})),
    )
    beside = [one.before for one in made(at_random(1, 0), before=[before]).findings]
    said = "In the release before, 2025Q1-2025Q2: "
    assert beside[0] == f"{said}120"
    assert beside[1] == f"{said}fewer than ten"
    assert beside[3] == f"{said}0"
    assert not any("%" in one for one in beside)
    hidden = replace(before, figures=with_figures())
    days = made(at_random(1, 0), before=[hidden]).findings[3]
    assert days.before == f"{said}too few people"


def test_what_the_release_before_did_not_publish_is_not_said_to_be_small():
    before = Counted(QUARTER, {Counts.PERSONS: {Cell(): 100}})
    beside = [one.before for one in made(at_random(1, 0), before=[before]).findings]
    assert beside[0].endswith(": 100")
    assert all(one.endswith(": not published") for one in beside[1:4])


def test_without_a_release_before_nothing_is_compared():
    said = made(at_random(1))
    assert {one.before for one in said.findings} == {""}
    assert said.cautions == ["There is no release before this one to compare with."]


def test_periods_of_another_length_are_not_compared_in_silence():
    for period, number in ((Period("2025Q1", "2025Q2"), 2), (Period("2025Q2", "2025Q2"), 1)):
        before = [Counted(period, at_random(2))]
        assert len(made(at_random(1), before=before).cautions) == number


def test_a_finding_on_what_is_not_part_of_the_release_is_left_out():
    drawn = with_figures((Counts.PERSONS, 145, {}))
    for cell in [cell for cell in drawn[Counts.PERSONS] if {"decision", "age"} & set(dict(cell))]:
        del drawn[Counts.PERSONS][cell]
    assert [one for one in found(drawn) if "presumed" in one or "18" in one] == []
    assert found({}, tables=[]) == []


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "on the day of the flag"), (1, "within a day of the flag"), (35, "within 35 days of")],
)
def test_a_number_of_days_is_said_as_people_say_it(days, said):
    drawn = with_figures((Counts.DAYS, days, {"step": "sent"}))
    assert said in found(drawn)[3]


def test_forms_that_rounding_made_alike_are_named_together():
    forms = [code for code in FORM.codes if code not in ("unknown", ANSWERED)]
    some = [(Counts.PERSONS, 30, {"exploitation": form}) for form in forms[:2]]
    unknown = (Counts.PERSONS, 90, {"exploitation": "unknown"})
    known = (Counts.PERSONS, 95, {"exploitation": ANSWERED})
    before = Counted(QUARTER, with_figures((Counts.PERSONS, 25, {"exploitation": forms[1]})))
    finding = made(with_figures(*some, unknown, known), before=[before]).findings[4]
    assert "“Forced labour”, “Sexual exploitation”, with about 30 people each." in finding.text
    assert finding.before.endswith("fewer than ten, 25")


# The tables.


@pytest.mark.parametrize("period", [QUARTER, YEAR])
def test_every_table_of_the_catalogue_is_there_in_its_order_or_said_to_be_missing(period):
    said = made(at_random(3), period=period)
    numbers = [one.number for one in CATALOGUE if period.annual or not one.annual]
    assert [section.number for section in said.sections] == numbers
    assert said.missing == (
        [] if period.annual else ["R8a, District of identification: only made of a whole year."]
    )


def test_a_table_that_was_left_out_is_said_to_be():
    tables = [one for one in CATALOGUE if one.number != "R9"]
    left_out = [one for one in CATALOGUE if one.number == "R9"]
    [said] = made(at_random(3), tables=tables, missing=left_out).missing
    assert said.startswith("R9, Presumption and age: left out")


@pytest.mark.parametrize("seed", range(5))
def test_every_figure_in_a_table_is_a_published_one(seed):
    drawn = at_random(seed)
    for section, one in zip(made(drawn).sections, published(drawn).tables, strict=True):
        known = {str(figure) for figure in drawn[one.counts].values()} | NOT_SHOWN
        for sheet in section.sheets:
            for row in sheet.rows:
                assert len(row.cells) == len(sheet.heads)
                assert {cell for cell in row.cells if not cell.endswith(" %")} <= known


def test_a_hidden_figure_of_days_is_not_said_to_be_under_ten_days():
    [section] = [one for one in made(at_random(1)).sections if one.number == "R11"]
    [sheet] = section.sheets
    assert {cell for row in sheet.rows for cell in row.cells if not cell.isdigit()} == {"too few"}
    # What all steps together took would mean nothing.
    assert "All" not in sheet.heads


def test_a_broad_table_goes_on_in_another_one_and_loses_no_column():
    said = made(at_random(1, 0.2))
    assert all(len(sheet.heads) <= MOST_COLUMNS for one in said.sections for sheet in one.sheets)
    [section] = [one for one in said.sections if one.number == "R10a"]
    heads = [head for sheet in section.sheets for head in sheet.heads]
    words = [FORM.words[code] for code in FORM.codes if code != ANSWERED]
    assert heads == ["All", *words, "Any of these known"]
    assert [sheet.caption[-8:] for sheet in section.sheets] == [
        f"({place} of 3)" for place in (1, 2, 3)
    ]


def test_tables_of_one_section_are_told_apart_by_their_captions():
    for section in made(at_random(1, 0.2), period=YEAR).sections:
        captions = [sheet.caption for sheet in section.sheets]
        assert len(set(captions)) == len(captions)


def test_rows_of_which_nothing_is_shown_are_named_below_the_table():
    drawn = with_figures((Counts.PERSONS, 40, {}), (Counts.PERSONS, 30, {"source": "police"}))
    [sheet] = made(drawn).sections[1].sheets
    assert [row.label for row in sheet.rows] == ["All", "Police"]
    assert sheet.hidden.startswith("Under ten, or nobody: The person themselves; Family")
    assert sheet.rows[1].cells == ["30", "75 %"]


def test_what_is_told_release_by_release_begins_with_the_oldest():
    before = [Counted(Period(name, name), at_random(4, 0)) for name in ("2025Q2", "2025Q1")]
    section = made(at_random(5, 0), before=before).sections[0]
    [sheet] = section.sheets
    assert [row.label for row in sheet.rows] == ["2025Q1", "2025Q2", "2025Q3"]
    assert sheet.heads == ["Identified", "Presumed victims"]
    assert section.picture.drawing.count('class="nrm-svg-line') >= 2


def test_a_line_that_one_release_has_not_is_not_drawn():
    before = [Counted(Period("2025Q2", "2025Q2"), {Counts.PERSONS: {Cell(): 100}})]
    section = made(at_random(5, 0), before=before).sections[0]
    assert section.sheets[0].heads == ["Identified"]


# The pictures.


def test_only_tables_of_the_catalogue_stand_in_for_others():
    numbers = {one.number for one in CATALOGUE}
    assert set(SHOWN_BY) <= numbers
    assert set(SHOWN_BY.values()) <= numbers - set(SHOWN_BY)


def test_each_picture_is_drawn_where_there_is_something_to_draw():
    before = [Counted(Period("2025Q2", "2025Q2"), at_random(4, 0))]
    shown = made(at_random(5, 0), period=YEAR, before=before)
    drawn = [one.number for one in shown.sections if one.picture]
    assert drawn == [one.number for one in CATALOGUE if one.number not in SHOWN_BY]
    nothing = made(with_figures(), period=YEAR)
    assert [one.number for one in nothing.sections if one.picture] == []


def test_a_picture_says_what_it_shows_and_is_one_on_its_page():
    said = made(at_random(5, 0.1), period=YEAR)
    drawn = [one.picture for one in said.sections if one.picture]
    assert all(one.title and f">{escape(one.title)}</title>" in one.drawing for one in drawn)
    ids = [found for one in drawn for found in re.findall(r' id="([^"]+)"', one.drawing)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("hidden", [0, 0.3, 0.8])
def test_no_picture_is_longer_than_a_sheet(hidden):
    for section in made(at_random(5, hidden), period=YEAR).sections:
        if section.picture:
            size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', section.picture.drawing)
            assert float(size[1]) == section.picture.width
            assert float(size[2]) <= LONGEST


def test_where_not_all_is_drawn_the_picture_says_so():
    notes = {one.number: one.picture.note for one in made(at_random(5, 0)).sections if one.picture}
    said = f"The picture shows the {MOST_BARS} largest."
    assert {number for number, note in notes.items() if note} == {"R2", "R6a", "R10"}
    assert set(notes.values()) == {"", said}
    [section] = [one for one in made(at_random(5, 0)).sections if one.number == "R10"]
    assert section.picture.drawing.count("nrm-svg-bar") == MOST_BARS


# The cover and the method.


def test_a_draft_and_a_practice_copy_say_so():
    frozen = made(at_random(1))
    assert (frozen.draft, frozen.practice) == ("", "")
    draft = made(at_random(1), frozen_on=None, practice=True)
    assert draft.draft.startswith("DRAFT:")
    assert draft.practice.startswith("PRACTICE COPY:")
    assert draft.cover.frozen == "Not frozen yet"
    assert made(at_random(1)).cover.frozen == "Frozen on 2 November 2025"


def test_the_method_says_how_many_counts_are_hidden():
    drawn = {Counts.PERSONS: dict.fromkeys("0123", 10), Counts.DAYS: {"day": None}}
    drawn[Counts.PERSONS]["4"] = None
    protected = made(drawn, tables=[]).method[1].paragraphs
    [place] = [at for at, words in enumerate(protected) if "In this release, 20 of a" in words]
    assert protected[place - 1].startswith("No count under 10 is shown.")


def test_what_is_not_promised_is_said():
    _counted, protected, not_promised = made(at_random(1)).method
    assert any("about 2 away" in words and "more than 8" in words for words in protected.paragraphs)
    said = " ".join(not_promised.paragraphs)
    for limit in ("no proof", "secret key", "works with the cases", "people who were found"):
        assert limit in said


# All of it.


def test_the_same_release_makes_the_same_bulletin():
    assert len({repr(asdict(made(at_random(7)))) for _ in range(5)}) == 1


def test_every_word_can_be_said_in_another_language():
    """The voice here writes each letter of a message as another one; none may be left over."""

    def say(message):
        return re.sub(r"(%\(\w+\)s)|[^\W\d_]", lambda found: found[1] or "ж", message)

    before = [Counted(Period("2024Q4", "2025Q2"), at_random(4))]
    for period in (QUARTER, YEAR):
        given = {"period": period, "before": before, "practice": True}
        said = asdict(
            made(at_random(1), Voice(say, lambda _day: "7", lambda _period: "8"), **given)
        )
        kept = {one.number for one in CATALOGUE} | {"Practice"}
        words = {word for text in texts(said) for word in re.findall(r"[^\W_]+", text)}
        assert {word for word in words - kept if re.search(r"[^\Wж\d]", word)} == set()
