import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.country import load
from nrm.domain.vocabulary import TRAFFICKING_FLOW
from nrm.statistics import charts
from nrm.statistics.charts import svg
from nrm.statistics.charts.flow import ROUTES
from nrm.statistics.charts.svg import SIZE_PHONE, breadth

SCSS = Path(__file__).resolve().parents[2] / "assets" / "scss"
# Without a digit, so that every number in a drawing is a figure or belongs to a scale.
WORDS = charts.Words("few", "< few", "The table says the same.")
PLACES = charts.Places(
    "Country", "Recruited here", "Recruited abroad", "Not known", "Exploited here", "Abroad"
)
NASTY = "<b>&\"'</b>"
FIGURES = st.none() | st.integers(2, 2_000).map(lambda fives: 5 * fives)
SVG = "{http://www.w3.org/2000/svg}"


def draw_bars(figures, chart_id="bars", label="Form"):
    return charts.bars(label, [charts.Bar(label, one) for one in figures], WORDS, chart_id)


def draw_groups(figures, chart_id="groups", label="Form"):
    groups = [charts.Group(label, [one, None, one, one]) for one in figures]
    series = [label, "Male", "Other", "Not known"]
    return charts.grouped_bars(label, groups, series, WORDS, chart_id)


def draw_lines(figures, chart_id="lines", label="Form"):
    points = [f"{label} {chr(65 + place)}" for place in range(len(figures))]
    series = [charts.Line(label, figures), charts.Line("Other", figures[::-1])]
    return charts.lines(label, points, series, WORDS, chart_id)


def draw_flow(figures, chart_id="flow", label="Form"):
    flows = [charts.Flow(route, label, one) for route, one in zip(ROUTES, figures, strict=False)]
    return charts.flow(label, flows, WORDS, PLACES, chart_id)


def draw_tiles(figures, chart_id="tiles", label="Form"):
    tiles = [
        charts.Tile(label, "For", f"{label} {place % 2}", place % 3, place // 3, one)
        for place, one in enumerate(figures)
    ]
    return charts.tiles(label, tiles, WORDS, chart_id)


DRAWINGS = [draw_bars, draw_groups, draw_lines, draw_flow, draw_tiles]
every_drawing = pytest.mark.parametrize("draw", DRAWINGS)


def parsed(drawing):
    return ET.fromstring(str(drawing))  # noqa: S314 – it is our own drawing.


def with_class(drawing, name):
    return [one for one in parsed(drawing).iter() if name in one.get("class", "").split()]


def texts(drawing):
    return ["".join(one.itertext()) for one in parsed(drawing).iter(f"{SVG}text")]


def numbers(drawing):
    return {int(found) for words in texts(drawing) for found in re.findall(r"\d+", words)}


def thickness(ribbon):
    upper = re.match(r"M[\d.]+ ([\d.]+)", ribbon.get("d"))[1]
    lower = re.search(r"([\d.]+)Z$", ribbon.get("d"))[1]
    return float(lower) - float(upper)


# Every drawing.


@every_drawing
@pytest.mark.parametrize("figures", [[70, 55, None, 10], [None], [None, None, None], [15]])
def test_a_drawing_is_named_and_described(draw, figures):
    root = parsed(draw(figures))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title, description = root.get("aria-labelledby").split()
    named = {one.get("id"): one.text for one in root if one.get("id")}
    assert named == {title: "Form", description: WORDS.same_in_table}


@every_drawing
def test_a_drawing_is_the_same_every_time(draw):
    assert len({str(draw([70, 55, None, 10, 25])) for _ in range(100)}) == 1


@every_drawing
def test_a_drawing_carries_no_code_and_asks_for_nothing(draw):
    for one in parsed(draw([70, 55, None, 10, 25])).iter():
        assert one.tag.removeprefix(SVG) in {
            *("svg", "title", "desc", "defs", "pattern"),
            *("rect", "path", "circle", "text", "tspan"),
        }
        assert not [name for name in one.attrib if name == "style" or name.startswith("on")]
        assert "href" not in " ".join(one.attrib)


@every_drawing
def test_whatever_a_label_says_is_text(draw):
    drawing = draw([70, None], label=NASTY)
    assert parsed(drawing).find(f"{SVG}title").text == NASTY
    assert NASTY in " ".join(texts(drawing))
    assert "<b>" not in drawing


def test_drawings_on_one_page_share_no_id():
    page = "".join(
        draw([70, None, 10], chart_id=f"{draw.__name__}-{copy}")
        for draw in DRAWINGS
        for copy in "ab"
    )
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 3 * 2 * len(DRAWINGS)


@every_drawing
def test_a_hatch_is_the_drawing_s_own(draw):
    drawing = draw([None, 10], chart_id="own")
    assert set(re.findall(r"url\(#([^)]+)\)", drawing)) == {"own-hatch"}
    assert 'id="own-hatch"' in drawing


@every_drawing
@given(figures=st.lists(FIGURES, min_size=5, max_size=5))
def test_what_is_hidden_looks_the_same_whatever_stands_beside_it(draw, figures):
    def extents(drawing):
        return {
            (one.get("width"), one.get("height")) if one.get("width") else round(thickness(one), 1)
            for one in with_class(drawing, "nrm-svg-hidden")
        }

    alone = extents(draw([None] * 5))
    assert len(alone) == 1
    assert extents(draw([*figures[:4], None])) == alone


@pytest.mark.parametrize("draw", [draw_bars, draw_groups, draw_flow, draw_tiles])
@given(figures=st.lists(FIGURES, min_size=5, max_size=5))
def test_every_figure_that_is_shown_is_written_and_no_other_number(draw, figures):
    drawing = draw(figures)
    assert numbers(drawing) == {one for one in figures if one is not None}
    if None in figures:
        assert any("few" in words for words in texts(drawing))


# Bars.


@given(st.lists(FIGURES, min_size=1, max_size=12))
def test_bars_begin_at_zero_and_are_as_long_as_their_figures(figures):
    for drawing in (draw_bars(figures), draw_groups(figures)):
        drawn = with_class(drawing, "nrm-svg-bar")
        shown = [one for one in figures if one is not None]
        counted = shown if "bars-title" in drawing else [one for one in shown for _ in range(3)]
        assert len(drawn) == len(counted)
        assert {one.get("x") for one in drawn} <= {"1"}
        lengths = [float(one.get("width")) for one in drawn]
        for length, figure in zip(lengths, counted, strict=True):
            assert length == pytest.approx(figure * max(lengths) / max(shown), abs=0.11)


@given(
    st.lists(FIGURES, min_size=1, max_size=6),
    st.lists(st.sampled_from(["women", "girls", "Not", "known", "i"]), max_size=9),
)
def test_what_stands_beside_a_bar_has_room_on_a_phone(figures, name):
    drawing = charts.grouped_bars(
        "Title",
        [charts.Group("Form", [one]) for one in figures],
        [" ".join(["A", *name])],
        WORDS,
        "one",
    )
    width = float(parsed(drawing).get("viewBox").split()[2])
    for one in parsed(drawing).iter(f"{SVG}text"):
        words = [one.text, *(line.text for line in one)]
        ends = [float(one.get("x")) + breadth(line, SIZE_PHONE) for line in words]
        assert all(end <= width + 0.1 for end in ends)


def test_a_word_that_has_no_room_leaves_the_bars_right():
    group = charts.Group("Labour", [70, 35])
    drawing = charts.grouped_bars("Title", [group], ["x" * 90, "y"], WORDS, "one")
    long, short = (float(one.get("width")) for one in with_class(drawing, "nrm-svg-bar"))
    assert long == 2 * short > 0


def test_a_bar_of_a_group_names_what_it_is_of():
    drawing = charts.grouped_bars(
        "Title", [charts.Group("Labour", [70, None])], ["Female", "Male"], WORDS, "one"
    )
    assert texts(drawing) == ["Labour", "Female 70", "Male few"]


def test_no_more_bars_are_grouped_than_can_be_told_apart():
    with pytest.raises(ValueError, match="5 series"):
        charts.grouped_bars("Title", [], list("abcde"), WORDS, "one")


# Lines.


def line(*figures, others=()):
    points = [str(place) for place in range(len(figures))]
    series = [charts.Line("One", figures), *others]
    return charts.lines("Title", points, series, WORDS, "one")


def paths(drawing):
    """Give the lines themselves, without the samples beside their names."""
    return [one.get("d") for one in with_class(drawing, "nrm-svg-line") if "h" not in one.get("d")]


def test_a_hidden_figure_is_a_gap_in_its_line():
    (path,) = paths(line(10, 20, None, 30, None, 40, 50))
    assert re.sub(r"[^ML]", "", path) == "MLMML"
    assert len(with_class(line(10, None, 20), "nrm-svg-hidden")) == 1


def test_a_line_lies_as_high_as_its_figures():
    (path,) = paths(line(0, 50, 100))
    low, middle, high = (float(one) for one in re.findall(r" ([\d.]+)", path))
    assert low - middle == pytest.approx(middle - high, abs=0.11)
    assert low > middle > high


def test_a_line_ends_with_its_name_and_its_last_figure():
    assert texts(line(10, 70))[-2:] == ["One", "70"]
    assert texts(line(70, None))[-2:] == ["One", "few"]


def test_a_single_release_is_a_point():
    drawing = line(145)
    assert len(with_class(drawing, "nrm-svg-dot")) == 2  # It, and the sample beside its name.
    assert texts(drawing)[-3:] == ["0", "One", "145"]


@given(st.lists(FIGURES, min_size=3, max_size=3))
def test_names_of_lines_never_lie_upon_one_another(figures):
    series = [charts.Line(f"Name {place}", [one]) for place, one in enumerate(figures)]
    drawing = charts.lines("Title", ["2026"], series, WORDS, "one")
    heights = sorted(float(one.get("y")) for one in with_class(drawing, "nrm-svg-text--halo"))
    assert len(heights) == 6
    assert all(after - before >= 24.9 for before, after in pairwise(heights))
    assert 0 <= heights[0] <= heights[-1] <= 424


@pytest.mark.parametrize(("releases", "named"), [(1, 1), (2, 2), (3, 3), (7, 4), (8, 2), (20, 2)])
def test_as_many_releases_are_named_as_have_room(releases, named):
    points = [f"2026 H{place}" for place in range(releases)]
    drawing = charts.lines("Title", points, [charts.Line("One", [10] * releases)], WORDS, "one")
    found = [words for words in texts(drawing) if words in points]
    assert len(found) == named
    assert found[0] == points[0]
    assert found[-1] == points[-1]


@pytest.mark.parametrize("figures", [[10], [10, 20, 30]])
def test_a_line_has_a_figure_for_every_release(figures):
    with pytest.raises(ValueError, match="argument 2 is"):
        charts.lines("Title", ["2025", "2026"], [charts.Line("One", figures)], WORDS, "one")


def test_no_more_lines_are_drawn_than_can_be_told_apart():
    with pytest.raises(ValueError, match="4 lines"):
        line(10, others=[charts.Line("Other", [10])] * 3)


# Routes.


def test_every_route_of_the_vocabulary_can_be_drawn():
    assert set(ROUTES) == set(TRAFFICKING_FLOW)


@given(st.lists(FIGURES, min_size=5, max_size=5))
def test_a_ribbon_is_as_broad_as_its_figure(figures):
    drawn = {
        route: thickness(with_class(draw_flow(figures), f"nrm-svg-flow--{route}")[0])
        for route, figure in zip(ROUTES, figures, strict=True)
        if figure is not None
    }
    shown = dict(zip(ROUTES, figures, strict=True))
    total = sum(one or 0 for one in figures)
    for route, broad in drawn.items():
        assert broad == pytest.approx(340 * shown[route] / total, abs=0.21)


def test_a_ribbon_keeps_its_breadth_to_its_end():
    for one in with_class(draw_flow([70, 55, 40, 25, 10]), "nrm-svg-flow"):
        far_upper, far_lower = re.search(r" ([\d.]+)V([\d.]+)", one.get("d")).groups()
        assert float(far_lower) - float(far_upper) == pytest.approx(thickness(one), abs=0.21)


def test_the_order_in_which_routes_are_given_does_not_matter():
    flows = [charts.Flow(route, route, 10) for route in ROUTES]
    assert charts.flow("Title", flows, WORDS, PLACES, "one") == charts.flow(
        "Title", flows[::-1], WORDS, PLACES, "one"
    )


def test_ends_of_ribbons_are_not_added_up():
    assert numbers(draw_flow([70, 55, 40, 25, 15])) == {70, 55, 40, 25, 15}


def test_a_route_has_its_sample():
    assert "nrm-svg-flow--transit" in charts.route_swatch(charts.Flow("transit", "Through", 10))
    assert "nrm-svg-hatch" in charts.route_swatch(charts.Flow("transit", "Through", None))


# The map of squares.


@pytest.fixture
def districts():
    rwanda = load("rw")
    return [
        charts.Tile(
            rwanda.districts[one.district],
            one.short,
            rwanda.province(one.district),
            one.column,
            one.row,
            None if place % 3 else 5 * place + 10,
        )
        for place, one in enumerate(rwanda.tiles)
    ]


def squares(drawing):
    return [one for one in parsed(drawing) if one.tag == f"{SVG}rect"]


def test_every_district_has_a_square_of_one_size(districts):
    drawing = charts.tiles("Title", districts, WORDS, "map")
    places = {(one.get("x"), one.get("y")) for one in squares(drawing)}
    assert len(squares(drawing)) == len(places) == 30
    assert {(one.get("width"), one.get("height")) for one in squares(drawing)} == {("84", "84")}
    said = texts(drawing)
    for tile in districts:
        assert tile.name in said
        assert tile.short in said


def test_a_name_without_room_gives_way_to_the_short_one():
    tile = charts.Tile("A district with a long name", "Adi", "North", 0, 0, 10)
    assert texts(charts.tiles("Title", [tile], WORDS, "map")) == ["Adi", "Adi", "10"]


def test_lines_lie_between_provinces_and_nowhere_else():
    def borders(*provinces):
        tiles = [
            charts.Tile("Name", "Nam", province, place % 2, place // 2, 10)
            for place, province in enumerate(provinces)
        ]
        found = with_class(charts.tiles("Title", tiles, WORDS, "map"), "nrm-svg-province")
        return found[0].get("d").count("M") if found else 0

    assert borders("A", "A", "A", "A") == 0
    assert borders("A", "B", "A", "B") == 2
    assert borders("A", "B", "C", "D") == 4
    assert borders("A", "A", "A", "B") == 2


@pytest.mark.parametrize(
    ("highest", "edges"),
    [
        (0, (10, 15, 30, 45)),
        (55, (10, 15, 30, 45)),
        (75, (10, 20, 40, 60)),
        (145, (10, 40, 80, 120)),
        (400, (10, 100, 200, 300)),
        (405, (10, 125, 250, 375)),
        (1_250, (10, 400, 800, 1_200)),
    ],
)
def test_classes_are_quarters_of_a_round_number(highest, edges):
    assert charts.class_edges(highest) == edges


@given(st.integers(9, 100_000).map(lambda fives: 5 * fives))
def test_the_largest_figure_is_in_the_highest_class(highest):
    edges = charts.class_edges(highest)
    assert list(edges) == sorted(set(edges))
    assert all(edge % 5 == 0 for edge in edges)
    assert edges[-1] <= highest


def test_a_square_has_the_tone_that_the_key_tells():
    tiles = [
        charts.Tile(str(figure), "Nam", "North", place, 0, figure)
        for place, figure in enumerate((10, 15, 25, 30, 45, 55))
    ]
    drawn = squares(charts.tiles("Title", tiles, WORDS, "map"))
    assert [one.get("class")[-1] for one in drawn] == ["1", "2", "2", "3", "4", "4"]
    key = ET.fromstring(charts.legend(tiles, WORDS))  # noqa: S314 – the same.
    assert ["".join(one.itertext()) for one in key] == ["few", "10–14", "15–29", "30–44", "45+"]


# What the style sheet and the drawings say of the same things.


def test_drawings_have_the_colours_of_the_style_sheet():
    tokens = dict(
        re.findall(
            r"^\$([a-z-]+): (#[0-9a-f]{6});$", (SCSS / "_tokens.scss").read_text(), re.MULTILINE
        )
    )
    own = {
        name: value for name, value in vars(svg).items() if re.match(r"#[0-9a-f]{6}$", str(value))
    }
    assert own
    assert own == {name: tokens[name.lower().replace("_", "-")] for name in own}


def test_drawings_have_room_for_the_letters_of_the_style_sheet():
    sheet = (SCSS / "components" / "_statistics.scss").read_text()
    sizes = re.findall(r"nrm-svg-text \{\s+font-size: (\d+)px", sheet)
    assert [int(one) for one in sizes] == [svg.SIZE_PHONE, svg.SIZE_PHONE_WIDE]
