import pytest

from nrm.domain.matching import Offer, Verdict, Wanted, fits, ranked, reasons

WANTED = Wanted("emergency_shelter", "female", "16_17", ("run", "swa"))
HOUSE = Offer(
    "House",
    ("emergency_shelter", "childcare"),
    frozenset({"female", "male", "16_17", "18_24"}),
    frozenset({"kin", "run"}),
)
YES, ASK, NO = Verdict.YES, Verdict.ASK, Verdict.NO


def changed(record, **fields):
    return type(record)(**{**vars(record), **fields})


# What is asked for, what is offered, and the verdicts on service, sex, age and language.
TABLE = [
    ({}, {}, (YES, YES, YES, YES)),
    ({"service": "childcare"}, {}, (YES, YES, YES, YES)),
    ({"service": "legal_information"}, {}, (NO, YES, YES, YES)),
    ({"sex": "male"}, {}, (YES, YES, YES, YES)),
    ({"sex": "other"}, {}, (YES, NO, YES, YES)),
    ({"sex": "unknown"}, {}, (YES, ASK, YES, YES)),
    ({"age_band": "under_12"}, {}, (YES, YES, NO, YES)),
    ({"age_band": "unknown"}, {}, (YES, YES, ASK, YES)),
    ({"languages": ("tir",)}, {}, (YES, YES, YES, NO)),
    ({"languages": ("other", "kin")}, {}, (YES, YES, YES, YES)),
    ({"languages": ("other", "unknown")}, {}, (YES, YES, YES, ASK)),
    ({"languages": ()}, {}, (YES, YES, YES, ASK)),
    ({}, {"languages": frozenset()}, (YES, YES, YES, ASK)),
    ({}, {"serves": frozenset()}, (YES, ASK, ASK, YES)),
    ({}, {"serves": frozenset({"female"})}, (YES, YES, ASK, YES)),
    ({}, {"serves": frozenset({"male", "18_24"})}, (YES, NO, NO, YES)),
    ({}, {"services": ()}, (NO, YES, YES, YES)),
]


@pytest.mark.parametrize(("wanted", "offer", "verdicts"), TABLE)
def test_reasons_for_and_against(wanted, offer, verdicts):
    given = reasons(changed(WANTED, **wanted), changed(HOUSE, **offer))
    assert tuple(reason.verdict for reason in given) == verdicts
    assert fits(given) == (NO not in verdicts)
    assert all(reason.words for reason in given)


def test_a_shared_language_is_named_in_the_persons_order():
    both = changed(HOUSE, languages=frozenset({"swa", "run", "kin"}))
    assert reasons(WANTED, both)[-1].languages == ("run", "swa")
    assert reasons(WANTED, HOUSE)[-1].languages == ("run",)


def test_the_fewest_reasons_against_come_first_then_the_most_for_then_the_name():
    offers = [
        changed(HOUSE, name="Men only", serves=frozenset({"male", "16_17"})),
        changed(HOUSE, name="Fits, second name"),
        changed(HOUSE, name="Untold languages", languages=frozenset()),
        changed(HOUSE, name="Another that fits"),
        changed(HOUSE, name="Nothing fits", serves=frozenset({"male", "18_24"})),
    ]
    assert [offer.name for offer, _ in ranked(WANTED, offers)] == [
        "Another that fits",
        "Fits, second name",
        "Untold languages",
        "Men only",
        "Nothing fits",
    ]


def test_no_provider_is_no_answer():
    assert ranked(WANTED, []) == []
