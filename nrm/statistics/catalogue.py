"""The catalogue: every table that is ever published, and by what it counts.

It is closed: whoever asks for another table asks for a line here. Tables count by one or two
things, five of them by three. The numbers are those by which the ministry knows the indicators.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

from nrm.domain.facts import FACTS, Fact
from nrm.domain.text import N_
from nrm.domain.vocabulary import NEED
from nrm.statistics import reading
from nrm.statistics.reading import NOT_KNOWN
from nrm.statistics.tables import ANSWERED, UNKNOWN, Dimension, Table, check


class Counts(StrEnum):
    """What a table counts."""

    PERSONS = "persons"
    REFERRALS = "referrals"
    # Not a count: the median of how many days a step took, certainly of ten persons or more.
    DAYS = "days"


COUNTS_LABEL: Mapping[Counts, str] = {
    Counts.PERSONS: N_("Persons"),
    Counts.REFERRALS: N_("Referrals"),
    Counts.DAYS: N_("Days, half were faster"),
}


@dataclass(frozen=True)
class Country:
    """What the counting knows of the country: its code, its provinces, its districts by code."""

    code: str
    provinces: Mapping[str, Sequence[str]]
    districts: Mapping[str, str]


@dataclass(frozen=True)
class Listed:
    """A table of the catalogue: its number, its title, what it counts and by what."""

    number: str
    title: str
    counts: Counts
    dimensions: tuple[Dimension, ...] = ()
    # Where a table is only made of a whole year.
    annual: bool = False

    @property
    def names(self) -> frozenset[str]:
        """By what it counts."""
        return frozenset(dimension.name for dimension in self.dimensions)


def of_fact(name: str, facts: Mapping[str, Fact] = FACTS) -> Dimension:
    """Count by a coded fact just as it is recorded."""
    fact = facts[name]
    words = {code: fact.codes.label(code) for code in fact.codes}
    if fact.several:
        return Dimension(name, (*fact.codes, ANSWERED), several=True, label=fact.label, words=words)
    codes = fact.codes.codes if UNKNOWN in fact.codes else (*fact.codes, UNKNOWN)
    return Dimension(name, codes, label=fact.label, words={UNKNOWN: NOT_KNOWN, **words})


def _of_words(name: str, label: str, words: Mapping[str, str], **how: Any) -> Dimension:
    return Dimension(name, tuple(words), label=label, words=words, **how)


SOURCE, SEX, _FORM = of_fact("source"), of_fact("sex"), of_fact("exploitation")
FORM = replace(
    _FORM,
    codes=(*_FORM.codes[:-1], reading.ANY_LABOUR, ANSWERED),
    words={**_FORM.words, reading.ANY_LABOUR: reading.ANY_LABOUR_LABEL},
    within=dict.fromkeys(reading.LABOUR_FORMS, (_FORM.name, reading.ANY_LABOUR)),
    sums=frozenset({reading.ANY_LABOUR}),
    read=reading.forms,
)
ROUTE, SECTOR, REFUGEE = of_fact("flow"), of_fact("sector"), of_fact("refugee")
CITIZEN_OF = of_fact("citizenship")
AGE = _of_words("age", N_("Age"), reading.AGE_LABEL, read=reading.age)
DECISION = _of_words("decision", N_("Presumption"), reading.DECISION_LABEL, read=reading.decision)
REACHED = _of_words(
    *("reached", N_("How far help came"), reading.REACHED_LABEL),
    several=True,
    within={after: ("reached", before) for before, after in pairwise(reading.REACHED_LABEL)},
    read=reading.reached,
)
MEANS = Dimension(
    "means",
    (*reading.MEANS_LABEL, ANSWERED),
    several=True,
    label=N_("Means of control"),
    words=reading.MEANS_LABEL,
    read=reading.means,
)
STEP = _of_words("step", N_("Step"), reading.STEP_LABEL)
SERVICE = Dimension(
    "service", NEED.codes, label=N_("Service"), words={code: NEED.label(code) for code in NEED}
)
ANSWER = _of_words("answer", N_("Answer"), reading.ANSWER_LABEL)


def catalogue(country: Country) -> Sequence[Listed]:
    """List every table for a country, in the order in which people read them."""
    nationality = _of_words(
        *("nationality", N_("Nationality"), reading.NATIONALITY_LABEL),
        read=lambda record: reading.nationality(record, country.code),
    )
    citizen_of = replace(
        CITIZEN_OF,
        within={
            code: (nationality.name, nationality.of({CITIZEN_OF.name: code})[0])
            for code in CITIZEN_OF.codes
        },
    )
    # A code is one word, and a province is known by its name.
    names = {name.replace(" ", "_"): name for name in country.provinces}
    province_of = {
        code: province for province, name in names.items() for code in country.provinces[name]
    }
    province = _of_words(
        *("province", N_("Province"), {**names, UNKNOWN: NOT_KNOWN}),
        read=lambda record: province_of.get(record.get("district", "")),
    )
    district = _of_words(
        *("district", N_("District"), {**country.districts, UNKNOWN: NOT_KNOWN}),
        within={
            code: (province.name, province_of.get(code, UNKNOWN))
            for code in (*country.districts, UNKNOWN)
        },
    )
    persons, referrals, days = Counts
    return (
        Listed("R1", N_("People identified"), persons),
        Listed("R2", N_("Who identified the person"), persons, (SOURCE,)),
        Listed("R3", N_("Sex and age"), persons, (SEX, AGE)),
        Listed("R4", N_("Form of exploitation and sex"), persons, (FORM, SEX)),
        Listed("R5", N_("Form of exploitation and age"), persons, (FORM, AGE)),
        Listed("R5a", N_("Form of exploitation, sex and age"), persons, (FORM, SEX, AGE)),
        Listed("R6", N_("Nationality and sex"), persons, (nationality, SEX)),
        Listed("R6a", N_("Citizenship"), persons, (citizen_of,)),
        Listed("R7", N_("Route and sex"), persons, (ROUTE, SEX)),
        Listed("R7a", N_("Form of exploitation and route"), persons, (FORM, ROUTE)),
        Listed("R8", N_("Province of identification"), persons, (province,)),
        Listed("R8a", N_("District of identification"), persons, (district,), annual=True),
        Listed("R9", N_("Presumption and age"), persons, (DECISION, AGE)),
        Listed("R10", N_("Referrals by service and answer"), referrals, (SERVICE, ANSWER)),
        Listed("R10a", N_("Referrals by service and form"), referrals, (SERVICE, FORM)),
        Listed("R11", N_("Days to each step, by who identified the person"), days, (SOURCE, STEP)),
        Listed("R12", N_("Means of recruitment and control"), persons, (MEANS,)),
        Listed("R12a", N_("Work and sex"), persons, (SECTOR, SEX)),
        Listed("R13", N_("Refugees and asylum seekers"), persons, (REFUGEE,)),
        Listed("R17", N_("How far help came, by who identified"), persons, (SOURCE, REACHED)),
    )


def tables(listed: Iterable[Listed], counts: Counts, *, annual: bool) -> list[Table]:
    """Choose the tables that count this; raises CatalogueError where the catalogue is too wide."""
    listed = list(listed)
    check([Table(one.number, one.dimensions) for one in listed])
    return [
        Table(one.number, one.dimensions)
        for one in listed
        if one.counts is counts and (annual or not one.annual)
    ]
