"""The coded facts of a case: what each of them can say. The statistics count by no others."""

from collections.abc import Mapping
from dataclasses import dataclass

from nrm.domain.text import N_
from nrm.domain.vocabulary import (
    AGE_BAND,
    CITIZENSHIP,
    ECONOMIC_SECTOR,
    EXPLOITATION,
    IDENTIFICATION_PLACE,
    INDICATOR,
    REFERRAL_SOURCE,
    REFUGEE_STATUS,
    SEX,
    TRAFFICKING_FLOW,
    CodeList,
)


@dataclass(frozen=True)
class Fact:
    """One coded fact: what it says in words, with which codes, and whether several at once."""

    label: str
    codes: CodeList
    several: bool = False


# A stage that brings a new fact adds its line here, and a line to the catalogue of the statistics.
FACTS: Mapping[str, Fact] = {
    "source": Fact(N_("Who identified the person"), REFERRAL_SOURCE),
    "place": Fact(N_("Kind of place"), IDENTIFICATION_PLACE),
    "sex": Fact(N_("Sex"), SEX),
    "age_band": Fact(N_("Age"), AGE_BAND),
    "citizenship": Fact(N_("Citizenship"), CITIZENSHIP),
    "indicators": Fact(N_("Signs"), INDICATOR, several=True),
    "exploitation": Fact(N_("Form of exploitation"), EXPLOITATION, several=True),
    "flow": Fact(N_("Route"), TRAFFICKING_FLOW),
    "sector": Fact(N_("Work"), ECONOMIC_SECTOR),
    "refugee": Fact(N_("Refugee or asylum seeker"), REFUGEE_STATUS),
}
