"""Reading a case as the tables count it: its coded facts, and the counted acts on it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from nrm.domain.text import N_
from nrm.domain.vocabulary import CITIZENSHIP, EXPLOITATION, INDICATOR, is_child
from nrm.statistics.tables import UNKNOWN, Record

Document: TypeAlias = Mapping[str, Any]

NOT_KNOWN = N_("Not known")

# The groups of the CTDC codebook, in its order, with our words for them.
MEANS_LABEL: Mapping[str, str] = {
    "meansDebtBondageEarnings": N_("Debt, or earnings taken away"),
    "meansThreats": N_("Threats"),
    "meansAbusePsyPhySex": N_("Violence and abuse"),
    "meansFalsePromises": N_("False promises"),
    "meansDrugsAlcohol": N_("Drugs or alcohol"),
    "meansDenyBasicNeeds": N_("Movement, money, food or care denied"),
    "meansExcessiveWorkHours": N_("Excessive working hours"),
    "meansWithholdDocs": N_("Papers taken away"),
}
AGE_LABEL: Mapping[str, str] = {
    "child": N_("Under 18"),
    "adult": N_("18 or older"),
    UNKNOWN: NOT_KNOWN,
}
NATIONALITY_LABEL: Mapping[str, str] = {
    "national": N_("Citizens of the country"),
    "foreign": N_("Citizens of another country"),
    UNKNOWN: NOT_KNOWN,
}
DECISION_LABEL: Mapping[str, str] = {
    "presumed": N_("Presumed to be a victim"),
    "not_a_victim": N_("Found not to be a victim"),
    "closed": N_("Closed before a presumption"),
    "waiting": N_("Not decided yet"),
}
# What is asked for as one figure: the forms that CTDC calls so. Whoever suffered two is one person.
ANY_LABOUR = "any_labour"
ANY_LABOUR_LABEL = N_("Forced labour of any form")
LABOUR_FORMS = {code for code in EXPLOITATION if EXPLOITATION[code].ctdc == "isForcedLabour"}
# How far help came: whoever came further went through what lies before.
REACHED_LABEL: Mapping[str, str] = {
    "identified": N_("Identified"),
    "consented": N_("Agreed to share with a provider"),
    "sent": N_("Referred"),
    "accepted": N_("Accepted by a provider"),
    "served": N_("Given a service"),
}
# The days from the flag; of an answer and a first service, from when the referral was sent.
STEP_LABEL: Mapping[str, str] = {
    "presumed": N_("From the flag to the presumption"),
    "consented": N_("From the flag to the agreement to share"),
    "sent": N_("From the flag to the first referral"),
    "accepted": N_("From a referral to its acceptance"),
    "served": N_("From a referral to the first service"),
    "closed": N_("From the flag to the closing"),
}
ANSWER_LABEL: Mapping[str, str] = {
    "accepted": N_("Accepted"),
    "declined": N_("Declined"),
    "expired": N_("Not answered in time"),
    "withdrawn": N_("Withdrawn"),
    "waiting": N_("Not answered yet"),
}
# Somebody who was counted twice is counted under the other file.
_DUPLICATE = "duplicate"
_NOT_GIVEN = "not_given"


def counted(events: Iterable[Document], facts: Document) -> bool:
    """Say whether a case is counted: who said no is not, nor is a second file of one person."""
    denied = facts.get("statistics") == "denied"
    return not denied and not any(event.get("reason") == _DUPLICATE for event in events)


def person(facts: Document, events: Sequence[Document]) -> Record:
    """Read a case as the tables of persons count it."""
    return {**facts, "events": events}


def referrals(facts: Document, events: Iterable[Document]) -> dict[str, tuple[str, Record]]:
    """Read the referrals of a case: of each id, the quarter when it was sent, and its codes."""
    sent: dict[str, tuple[str, dict[str, Any]]] = {}
    answers: dict[str, set[str]] = {}
    for event in events:
        if event["event"] == "sent":
            sent[event["referral"]] = event["quarter"], {**facts, "service": event["service"]}
        elif event["event"] in ANSWER_LABEL:
            answers.setdefault(event["referral"], set()).add(event["event"])
    for referral, (_, record) in sent.items():
        given = answers.get(referral, set())
        record["answer"] = next((one for one in ANSWER_LABEL if one in given), "waiting")
    return dict(sent)


def age(record: Record) -> str | None:
    """Tell children from adults, by the band that was recorded."""
    band = record.get("age_band", UNKNOWN)
    if band == UNKNOWN:
        return None
    return "child" if is_child(band) else "adult"


def nationality(record: Record, home: str) -> str | None:
    """Tell citizens of the country, `home`, from those of others."""
    citizenship = record.get("citizenship", UNKNOWN)
    if citizenship == UNKNOWN or citizenship not in CITIZENSHIP:
        return None
    return "national" if citizenship.upper() == home.upper() else "foreign"


def forms(record: Record) -> list[str]:
    """Name the forms of exploitation, and whether forced labour of any form is among them."""
    found = list(record.get("exploitation", ()))
    return [*found, ANY_LABOUR] if LABOUR_FORMS.intersection(found) else found


def means(record: Record) -> list[str | None]:
    """Name the means of control that the signs speak of."""
    return [INDICATOR[code].ctdc for code in record.get("indicators", ()) if code in INDICATOR]


def first_days(events: Iterable[Document]) -> Mapping[str, int]:
    """Say in how many days each step was taken for the first time."""
    first: dict[str, int] = {}
    for event in events:
        step = event["event"]
        if step in STEP_LABEL and _came_about(event):
            first[step] = min(event["days"], first.get(step, event["days"]))
    return first


def _came_about(event: Document) -> bool:
    """Say whether an act came about: a service that could not be given is on record as well."""
    return event.get("outcome") != _NOT_GIVEN


def _happened(record: Record) -> set[str]:
    return {event["event"] for event in record["events"] if _came_about(event)}


def decision(record: Record) -> str:
    """Say what became of the question whether the person is a victim."""
    happened = _happened(record)
    if any(event.get("reason") == "not_a_victim" for event in record["events"]):
        return "not_a_victim"
    if "presumed" in happened:
        return "presumed"
    return "closed" if "closed" in happened else "waiting"


def reached(record: Record) -> list[str]:
    """Say which steps of help a person went through, whatever was recorded of those before."""
    steps, happened = list(REACHED_LABEL), _happened(record)
    farthest = max((steps.index(step) for step in happened if step in steps), default=0)
    return steps[: farthest + 1]
