"""Made-up cases as the statistics read them: coded facts, and the counted acts on each."""

from random import Random

from nrm import country
from nrm.domain.facts import Fact
from nrm.domain.vocabulary import (
    AGE_BAND,
    CITIZENSHIP,
    ECONOMIC_SECTOR,
    EXPLOITATION,
    INDICATOR,
    NEED,
    REFERRAL_SOURCE,
    REFUGEE_STATUS,
    TRAFFICKING_FLOW,
    Code,
    CodeList,
)
from nrm.statistics.catalogue import SEX, Country, Counts, Listed, catalogue, of_fact
from nrm.statistics.periods import read

PACK = country.load("rw")
RWANDA = Country(PACK.code, PACK.provinces, PACK.districts)
CATALOGUE = catalogue(RWANDA)
YEAR, QUARTER = read("2026"), read("2026Q3")
KEY = bytes(range(32))

# What a later stage brings: a line of facts, and one of the catalogue.
RETURN = CodeList(
    Code("returned_home", "Returned home"),
    Code("stays", "Stays in the country"),
    Code("undecided", "Not decided"),
)
LATER_FACT = {"assisted_return": Fact("Assisted return", RETURN)}


def later_table(facts):
    """Write the line of the catalogue."""
    dimensions = (of_fact("assisted_return", facts), SEX)
    return Listed("R14", "Assisted return and sex", Counts.PERSONS, dimensions)


def cases(number, period, seed=1):
    """Make cases flagged in a period, with the skew of real ones: much of little, little of much.

    What is not asked of everybody is missing in some. A few said no to the statistics, and a few
    are second files of one person; neither is among the number.
    """
    chance = Random(f"{seed} {number} {period.name}")
    quarters = list(period.quarters())
    counted = 0
    while counted < number:
        case_id = f"{seed}-{counted}-{chance.getrandbits(64):016x}"
        facts = _facts(chance, chance.choice(quarters))
        events = list(_events(chance, case_id, facts["quarter"]))
        left_out = facts.get("statistics") or events[-1].get("reason") == "duplicate"
        counted += not left_out
        yield case_id, facts, events


def _facts(chance, quarter):
    facts = {
        "quarter": quarter,
        "source": _skewed(chance, REFERRAL_SOURCE),
        "district": _skewed(chance, PACK.districts),
        "sex": chance.choices(("female", "male", "other", "unknown"), (60, 37, 1, 2))[0],
        "age_band": _skewed(chance, AGE_BAND),
    }
    if chance.random() < 0.9:
        facts["citizenship"] = _skewed(chance, CITIZENSHIP)
        facts["indicators"] = _some(chance, INDICATOR, 5)
    if chance.random() < 0.8:
        facts["exploitation"] = _some(chance, EXPLOITATION, 2)
        facts["flow"] = _skewed(chance, TRAFFICKING_FLOW)
        facts["sector"] = _skewed(chance, ECONOMIC_SECTOR)
    if chance.random() < 0.7:
        facts["refugee"] = chance.choices(REFUGEE_STATUS.codes, (80, 12, 8))[0]
    if chance.random() < 0.03:
        facts["statistics"] = "denied"
    return facts


def _events(chance, case_id, quarter):
    def event(name, **coded):
        return {"event": name, "quarter": quarter, "days": chance.randrange(60), **coded}

    yield event("flagged")
    if chance.random() < 0.85:
        yield event("presumed")
        if chance.random() < 0.8:
            yield event("consented")
            for place in range(chance.randrange(4)):
                yield from _referral(chance, event, f"{case_id}/{place}")
    if chance.random() < 0.3:
        reasons = ("plan_completed", "contact_lost", "not_a_victim", "duplicate")
        yield event("closed", reason=chance.choices(reasons, (60, 20, 10, 10))[0])


def _referral(chance, event, referral):
    service = _skewed(chance, NEED)
    yield event("sent", referral=referral, service=service)
    answer = chance.choices(("accepted", "declined", "expired", ""), (70, 10, 10, 10))[0]
    if answer:
        yield event(answer, referral=referral)
    if answer == "accepted" and chance.random() < 0.8:
        outcome = chance.choices(("given", "partly_given", "not_given"), (80, 10, 10))[0]
        yield event("served", referral=referral, service=service, outcome=outcome)


def _skewed(chance, codes):
    codes = list(codes)
    return chance.choices(codes, [1 / place for place in range(1, len(codes) + 1)])[0]


def _some(chance, codes, most):
    known = [code for code in codes if code != "unknown"]
    return sorted({_skewed(chance, known) for _ in range(chance.randint(1, most))})
