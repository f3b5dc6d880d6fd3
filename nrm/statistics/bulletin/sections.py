"""The tables of a bulletin as people read them: in words, and no broader than a sheet of paper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nrm.domain.text import N_
from nrm.statistics.bulletin.drawings import Picture, draw, told
from nrm.statistics.bulletin.published import Published
from nrm.statistics.bulletin.voice import TOO_FEW, UNDER_TEN_SHORT, Voice
from nrm.statistics.catalogue import COUNTS_LABEL, Counts, Listed
from nrm.statistics.layout import TOTAL, Grid, Line, grids, word
from nrm.statistics.tables import ANSWERED, WIDE

# A table with more columns than these goes on in another one.
MOST_COLUMNS = 7
# A figure and its share.
_NARROW = 2

_WHAT_COUNTS = {
    Counts.PERSONS: N_("People whom somebody flagged in this period."),
    Counts.REFERRALS: N_("Referrals that were sent in this period. One person can have several."),
    Counts.DAYS: N_(
        "Days from one step to the next: half of the people waited no longer than this. "
        "“Too few” is said unless it is certain that there are ten or more."
    ),
}
_SEVERAL_ROWS = N_("One can be counted in several rows.")
_SEVERAL_COLUMNS = N_("One can be counted in several columns.")
_SHARE = N_("Share")
_SHARES = N_("Shares are of all.")
_SHARES_OF_KNOWN = N_("Shares are of those of whom any of these is known.")


@dataclass(frozen=True)
class Row:
    """A row as it is written."""

    label: str
    cells: Sequence[str]


@dataclass(frozen=True)
class Sheet:
    """A table as it is written: the row of all comes first, for the others do not add up to it."""

    caption: str
    corner: str
    heads: Sequence[str]
    rows: Sequence[Row]
    # Whether the first row is that of all.
    totalled: bool
    # What stands for a figure that is not shown.
    hidden_as: str
    # Names the rows of which nothing is shown.
    hidden: str


@dataclass(frozen=True)
class Section:
    """A table of the catalogue: what it is of, its picture, and its figures."""

    number: str
    title: str
    notes: Sequence[str]
    picture: Picture | None
    sheets: Sequence[Sheet]
    # Whether the table leaves room for a picture beside it.
    narrow: bool


def sections(published: Published, voice: Voice) -> list[Section]:
    """Lay out every table of a release, in the order of the catalogue."""
    return [_section(one, published, voice) for one in published.tables]


def _section(one: Listed, published: Published, voice: Voice) -> Section:
    laid_out = grids(one, published.of(one), voice.say)
    sheets = [sheet for grid in laid_out for sheet in _sheets(one, grid, voice)]
    if not one.dimensions and published.before:
        sheets = [_over_time(one, published, voice)]
    return Section(
        one.number,
        voice.say(one.title),
        list(_notes(one, sheets, voice)),
        draw(one, published, voice),
        sheets,
        narrow=len(sheets) == 1 and len(sheets[0].heads) <= _NARROW,
    )


def _notes(one: Listed, sheets: Sequence[Sheet], voice: Voice) -> Iterator[str]:
    yield voice.say(_WHAT_COUNTS[one.counts])
    rows, columns = one.dimensions[:1], one.dimensions[1:]
    if any(dimension.several for dimension in rows):
        yield voice.say(_SEVERAL_ROWS)
    if any(dimension.several for dimension in columns):
        yield voice.say(_SEVERAL_COLUMNS)
    if any(voice.say(_SHARE) in sheet.heads for sheet in sheets):
        whole = any(ANSWERED in dimension.codes for dimension in rows)
        yield voice.say(_SHARES_OF_KNOWN if whole else _SHARES)


def _sheets(one: Listed, grid: Grid, voice: Voice) -> Iterator[Sheet]:
    """Write a grid as one table, or as several where it is too broad."""
    hidden_as = TOO_FEW if one.counts is Counts.DAYS else UNDER_TEN_SHORT
    heads, rows = _columns(one, grid, voice, hidden_as)
    number = -(-len(heads) // MOST_COLUMNS)
    width = -(-len(heads) // number)
    for place in range(number):
        part = slice(place * width, (place + 1) * width)
        yield Sheet(
            _caption(one, grid, voice, (place + 1, number)),
            grid.corner or voice.say(one.title),
            heads[part],
            [Row(row.label, row.cells[part]) for row in rows],
            totalled=True,
            hidden_as=voice.say(hidden_as),
            hidden=_hidden(one, grid, voice) if place + 1 == number else "",
        )


def _columns(one: Listed, grid: Grid, voice: Voice, hidden_as: str) -> tuple[list[str], list[Row]]:
    """Write the heads and the rows of a grid, with a column of shares where it has room."""
    heads = list(grid.heads)
    if len(heads) == 1:
        heads = [voice.say(COUNTS_LABEL[one.counts])]
    with_share = len(heads) < MOST_COLUMNS and any(line.share is not None for line in grid.lines)

    def written(line: Line, share: str) -> Row:
        cells = [voice.cell(figure, hidden_as) for figure in line.figures]
        return Row(line.label, [cells[0], share, *cells[1:]] if with_share else cells)

    rows = [written(grid.total, "")] if grid.total else []
    # Those of whom anything is known are what the shares are of, and so have none themselves.
    shares = ["" if line.code == ANSWERED else voice.share(line.share) for line in grid.lines]
    rows += map(written, grid.lines, shares)
    return ([heads[0], voice.say(_SHARE), *heads[1:]] if with_share else heads), rows


def _caption(one: Listed, grid: Grid, voice: Voice, place: tuple[int, int]) -> str:
    """Name a table, and which of several it is."""
    said = voice.say(one.title)
    if len(one.dimensions) == WIDE:
        part = word(one.dimensions[-1], grid.of, voice.say) if grid.of else voice.say(TOTAL)
        said = voice.fill(N_("%(title)s: %(part)s"), title=said, part=part)
    this, of = place
    if of > 1:
        said = voice.fill(
            N_("%(title)s (%(this)s of %(of)s)"), title=said, this=str(this), of=str(of)
        )
    return said


def _hidden(one: Listed, grid: Grid, voice: Voice) -> str:
    """Name the rows that are left out because nothing of them is shown."""
    if not grid.hidden:
        return ""
    message = N_("Under ten, or nobody: %(rows)s.")
    if one.counts is Counts.DAYS:
        message = N_("Too few people: %(rows)s.")
    return voice.fill(message, rows="; ".join(grid.hidden))


def _over_time(one: Listed, published: Published, voice: Voice) -> Sheet:
    """Write what is told release by release, the oldest first."""
    series = told(published)
    rows = [
        Row(voice.period(each.period), [voice.cell(figures[place]) for _, figures in series])
        for place, each in enumerate((*reversed(published.before), published))
    ]
    return Sheet(
        voice.fill(N_("%(title)s, release by release"), title=voice.say(one.title)),
        voice.say(N_("Period")),
        [voice.say(each.name) for each, _ in series],
        rows,
        totalled=False,
        hidden_as=voice.say(UNDER_TEN_SHORT),
        hidden="",
    )
