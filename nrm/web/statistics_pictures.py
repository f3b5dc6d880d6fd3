"""The figures of a release as a page shows them: pictures, and the tables beneath them."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from nrm.domain.text import N_
from nrm.services import figures
from nrm.services.figures import Kept, Shown
from nrm.statistics import charts, layout, pictures
from nrm.statistics.catalogue import COUNTS_LABEL, Counts, Listed
from nrm.statistics.pictures import Ground, Square
from nrm.statistics.tables import ANSWERED, Cell
from nrm.web.context import language, pack
from nrm.web.text import _

# What the overview shows: the table that has it, by what, and its heading.
_GALLERY = (
    ("R4", "exploitation", N_("Form of exploitation")),
    ("R7", "flow", N_("In, from, to, through")),
    ("R8", "province", N_("Where people were identified")),
    ("R8a", "district", N_("Districts")),
    ("R17", "reached", N_("How far help came")),
    ("R11", "step", N_("How long it took")),
)


# What is told release by release: its name, and the codes of its figure.
_OVER_TIME: Mapping[str, dict[str, str]] = {
    N_("Identified"): {},
    N_("Presumed victims"): {"decision": "presumed"},
}
# The pictures of frozen releases, by language and releases, in this process.
_DRAWN: dict[str, list[dict[str, Any]]] = {}
_MOST_DRAWN = 32


def say(message: str) -> str:
    """Put a word of the statistics into the reader's language."""
    return str(_(message))


def ground() -> Ground:
    """Say what pictures need to know of the country."""
    here = pack()
    return Ground(
        here.name,
        [
            Square(tile.district, tile.short, here.province(tile.district), tile.column, tile.row)
            for tile in here.tiles
        ],
    )


def gallery(shown: Shown) -> list[dict[str, Any]]:
    """Draw what a release says at a glance, each picture with its table.

    What is frozen is drawn once: it never changes, and the drawing takes longer than all else.
    """
    every = (shown.kept.release, *(kept.release for kept in shown.before))
    if any(release.frozen_at is None for release in every):
        return _gallery(shown)
    drawn = " ".join([language(), *(release.id.hex for release in every)])
    if drawn not in _DRAWN:
        while len(_DRAWN) >= _MOST_DRAWN:
            _DRAWN.pop(next(iter(_DRAWN)), None)
        _DRAWN[drawn] = _gallery(shown)
    return _DRAWN[drawn]


def _gallery(shown: Shown) -> list[dict[str, Any]]:
    found = [_over_time(shown)] if shown.before else []
    by_number = {one.number: one for one in shown.tables}
    for number, name, heading in _GALLERY:
        if number in by_number:
            # By one thing alone: the whole table is one click away.
            one = by_number[number]
            [dimension] = [each for each in one.dimensions if each.name == name]
            alone = Listed(number, heading, one.counts, (dimension,), one.annual)
            found.append(_figure(shown.kept, alone))
    return found


def page_of(shown: Shown, one: Listed) -> dict[str, Any]:
    """Draw one table whole."""
    figure = _figure(shown.kept, one)
    if not one.dimensions and shown.before:
        figure["picture"] = _over_time(shown)["picture"]
    return figure


def _figure(kept: Kept, one: Listed) -> dict[str, Any]:
    cells = kept.figures.get(one.counts, {})
    chart_id = f"picture-{one.number}-{kept.release.id.hex[:8]}"
    answered = {Cell([(each.name, ANSWERED)]) for each in one.dimensions}
    return {
        "number": one.number,
        "title": say(one.title),
        "counts": say(COUNTS_LABEL[one.counts]),
        "several": any(each.several for each in one.dimensions),
        "shares": any(cell in cells for cell in answered) or len(one.dimensions) == 1,
        "picture": pictures.picture(one, cells, ground(), say, chart_id),
        "legend": _legend(one, cells),
        "blocks": [_of(one, grid.of) for grid in layout.grids(one, cells, say)],
        "grids": layout.grids(one, cells, say),
        "days": one.counts is Counts.DAYS,
    }


def _legend(one: Listed, cells: Any) -> Markup | None:  # noqa: ANN401 - figures by their cells
    if [each.name for each in one.dimensions] != ["district"]:
        return None
    drawn = pictures.squares(ground().squares, one.dimensions[0].words, cells)
    return charts.legend(drawn, pictures.words(say))


def _of(one: Listed, code: str) -> str:
    """Say of what one of several grids of a table is."""
    if not code:
        return say(layout.TOTAL)
    return layout.word(one.dimensions[2], code, say)


def _over_time(shown: Shown) -> dict[str, Any]:
    """Draw the line over the releases, the oldest first, with the same figures in a table."""
    every = [*reversed(shown.before[: figures.HISTORY]), shown.kept]
    names = [kept.period.name for kept in every]
    # What one of the releases has not is no hidden figure, and no line.
    series = [
        (say(name), [kept.figure(Counts.PERSONS, **codes) for kept in every])
        for name, codes in _OVER_TIME.items()
        if all(kept.holds(Counts.PERSONS, **codes) for kept in every)
    ]
    lines = [charts.Line(name, of_it) for name, of_it in series]
    title = say(N_("People in each release"))
    drawn = charts.lines(title, names, lines, pictures.words(say), "picture-over-time")
    rows = [
        layout.Line(name, name, [of_it[place] for _, of_it in series])
        for place, name in enumerate(names)
    ]
    grid = layout.Grid("", say(N_("Release")), [name for name, _ in series], rows, [], None)
    return {
        "number": "R1",
        "title": title,
        "counts": say(COUNTS_LABEL[Counts.PERSONS]),
        "several": False,
        "shares": False,
        "picture": drawn,
        "legend": None,
        "blocks": [""],
        "grids": [grid],
        "days": False,
        "over_time": True,
    }
