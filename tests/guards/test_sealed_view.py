"""Before it answers a provider gets the outside of the envelope, in every byte of every answer."""

import re

import pytest

from nrm.domain.consent import SHAREABLE
from nrm.domain.envelope import fill
from tests import world as worlds
from tests.guards.routes import all_routes, token
from tests.guards.test_matrix import MAY_REACH
from tests.world import ACCOUNTS, CANARIES, Role

pytestmark = pytest.mark.databases("sqlite")

# What the envelope holds, and so what may be told before the answer.
OUTSIDE = {"service", "urgency", "age", "sex", "languages", "district", "safety", "arrangements"}
TOLD = {CANARIES["safety"], CANARIES["arrangements"]}
TYPED = {
    "report": {"station_reference": CANARIES["station_reference"]},
    "place": {"place_words": CANARIES["place_words"], "found_on": CANARIES["found_on"]},
    "person": {
        name: CANARIES[name]
        for name in ("given_name", "family_name", "other_names", "birth_date", "id_number")
    },
    "signs": {"account": CANARIES["account"]},
    "risk": {"health_words": CANARIES["health_words"], "immediate_risk": "reachable_tonight"},
    "contact": {
        "phone": CANARIES["contact_phone"],
        "words": CANARIES["contact_words"],
        "code_word": CANARIES["code_word"],
    },
}
# Codes of the file that are no part of an envelope, as a page would say them; and the masks.
CODED = ("Burundi", "street", "Police", "cannot", "18 to 24", "By phone", "ends in", "day hidden")


def test_the_envelope_has_these_fields_and_no_other():
    filled = fill({}, service="transport", urgency=1, safety="", arrangements="")
    assert set(filled) == OUTSIDE


def test_a_provider_that_has_not_answered_gets_only_what_stands_outside(
    world, signed_in, subtests, counted
):
    """Row 23: pages, forms, files and refusals of every route that a provider reaches."""
    lakes = "lakes"
    case = worlds.consented(world, lakes, SHAREABLE, **TYPED)
    words = {name: CANARIES[name] for name in ("safety", "arrangements")}
    sent = worlds.refer(world, case, **words)
    page = signed_in("provider")
    assert ACCOUNTS["provider"][1] is Role.PROVIDER
    csrf = {"csrf_token": token(page)}
    values = {"reference": sent, "compartment": "contact", "field": "phone"}
    read = answers = 0
    # Whatever answers or ends a referral is left out: before the answer, that is what it is.
    reached = MAY_REACH[Role.PROVIDER] - {"provision.accept", "provision.decline"}
    for route in all_routes(world.app):
        if route.endpoint not in reached:
            continue
        for method in sorted(route.methods):
            with subtests.test(f"{method} {route.endpoint}"):
                answer = page.client.open(route.at(**values), method=method, data=csrf)
                body = answer.get_data()
                everything = body + repr(sorted(answer.headers)).encode()
                for name, value in CANARIES.items():
                    if value not in TOLD:
                        assert value.encode() not in everything, name
                assert case.encode() not in everything
                if route.endpoint == "provision.read":
                    text = re.sub(r"<[^>]+>", " ", body.decode())
                    assert all(told in text for told in TOLD)
                    main = text[text.index("Can you help?") : text.index("Opens when you accept")]
                    assert not any(code in main for code in CODED)
                answers += 1
                read += len(everything)
    counted(
        f"{answers} answers to a provider that has not accepted, {read:,} bytes: "
        f"only the outside of the envelope"
    )
    assert answers > 5
