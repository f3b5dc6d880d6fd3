"""What another institution's sign-in answers counts once, for one question, and only if signed."""

import threading
import time
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from nrm.security import openid, outbound
from nrm.security.openid import Identity, OpenIdError
from tests import openid_provider
from tests.openid_provider import STRONG, signed_by_a_stranger, unsigned

BACK = "https://nrm.practice.example/sign-in/federated/back"


@pytest.fixture(scope="module")
def server():
    with openid_provider.running() as provider:
        yield provider


@pytest.fixture
def provider(server):
    yield server
    fresh = openid_provider.Provider()
    server.subject, server.signs, server.answers = fresh.subject, None, None
    server.drips, server.described_times = False, 0
    for bent in (server.claims, server.described, server.asked, server.codes, server.other_keys):
        bent.clear()


@pytest.fixture(autouse=True)
def _knows_nobody():
    """Let no provider be remembered from the test before."""
    openid._descriptions.forget()


def asked(provider):
    return openid.ask(provider.settings(STRONG), BACK)


def came_back(provider, **changed):
    address, question = asked(provider)
    answer = {**provider.approve(address), **changed}
    answer = {name: value for name, value in answer.items() if value is not None}
    return openid.identity(provider.settings(STRONG), BACK, question, answer)


def why(provider, **changed):
    with pytest.raises(OpenIdError) as error:
        came_back(provider, **changed)
    return error.value.why


def test_who_came_back_is_known_by_issuer_and_subject_alone(provider):
    assert came_back(provider) == Identity(provider.issuer, provider.subject, strong=False)


@pytest.mark.parametrize(
    ("claims", "strong"),
    [
        ({"acr": STRONG}, True),
        ({"amr": ["pwd", STRONG]}, True),
        ({"acr": "practice:password"}, False),
        ({"amr": ["pwd"]}, False),
        ({"amr": [], "acr": ""}, False),
    ],
)
def test_a_second_factor_there_counts_where_the_settings_say_so(provider, claims, strong):
    provider.claims.update(claims)
    assert came_back(provider).strong is strong


def test_every_question_is_another_one_and_asks_anew(provider):
    questions = [asked(provider) for _ in range(50)]
    for part in ("state", "nonce", "verifier"):
        assert len({getattr(question, part) for _, question in questions}) == 50
    sent = dict(parse_qsl(urlsplit(questions[0][0]).query))
    assert (sent["prompt"], sent["max_age"], sent["scope"]) == ("login", "0", "openid")
    # The verifier stays with us: what is sent away is its hash.
    assert questions[0][1].verifier not in questions[0][0]


def test_a_code_and_an_answer_count_once(provider):
    address, question = asked(provider)
    answer = provider.approve(address)
    assert openid.identity(provider.settings(), BACK, question, answer)
    with pytest.raises(OpenIdError):
        openid.identity(provider.settings(), BACK, question, answer)


def test_the_answer_of_another_browser_counts_for_nothing(provider):
    address, _ = asked(provider)
    others = provider.approve(address)
    mine = asked(provider)[1]
    with pytest.raises(OpenIdError, match="state"):
        openid.identity(provider.settings(), BACK, mine, others)
    # Even with the right state, the code belongs to a verifier that the other browser has.
    with pytest.raises(OpenIdError, match="token"):
        openid.identity(provider.settings(), BACK, mine, {**others, "state": mine.state})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": None}, "state"),
        ({"state": "another"}, "state"),
        ({"state": "ünknown"}, "state"),
        ({"iss": "https://elsewhere.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"code": None}, "refused"),
        ({"code": None, "error": "access_denied"}, "refused"),
        ({"error": "access_denied"}, "refused"),
        ({"code": "guessed"}, "token"),
    ],
)
def test_an_answer_that_is_not_whole_counts_for_nothing(provider, changed, reason):
    assert why(provider, **changed) == reason


def test_a_provider_that_never_says_who_it_is_in_answers_need_not(provider):
    provider.described["authorization_response_iss_parameter_supported"] = False
    assert came_back(provider, iss=None).subject == provider.subject
    assert why(provider, iss="https://elsewhere.example") == "issuer"


HOUR = 3600


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": None},
        {"aud": ["practice-client", "another-client"]},
        {"aud": ["practice-client", "another-client"], "azp": "another-client"},
        {"azp": "another-client"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": time.time() - HOUR},
        {"exp": None},
        {"exp": "soon"},
        {"iat": time.time() + HOUR},
        {"iat": None},
        {"nbf": time.time() + HOUR},
        {"auth_time": time.time() - HOUR},
        {"auth_time": None},
        {"auth_time": "lately"},
        # Said in milliseconds, and so always later than asked.
        {"auth_time": time.time() * 1000},
        {"auth_time": float("nan")},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "a\x00b"},
        {"sub": "\ud800"},
        {"sub": "Zoë"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"amr": "everything"},
        {"amr": [["a"]]},
    ],
    ids=" ".join,
)
def test_a_token_that_says_something_else_counts_for_nothing(provider, claims):
    provider.claims.update(claims)
    assert why(provider) in ("token", "subject", "not-anew")


def test_a_token_for_several_that_names_us_as_asking_counts(provider):
    provider.claims.update({"aud": ["practice-client", "another"], "azp": "practice-client"})
    assert came_back(provider).subject == provider.subject


@pytest.mark.parametrize(
    "how", ["nobody", "a stranger", "the public key", "a short key", "changed after"]
)
def test_a_token_that_the_provider_did_not_sign_counts_for_nothing(provider, how):
    honest = openid_provider.Provider.id_token

    def changed_after(claims):
        provider.signs = None
        token = honest(provider, {"at": claims["auth_time"], "nonce": claims["nonce"]})
        head, _, seal = token.split(".")
        return ".".join([head, unsigned({**claims, "sub": "somebody else"}).split(".")[1], seal])

    provider.signs = {
        "nobody": unsigned,
        "a stranger": signed_by_a_stranger,
        "a short key": openid_provider.signed_with_a_short_key(provider),
        "the public key": openid_provider.signed_with_the_public_key(provider),
        "changed after": changed_after,
    }[how]
    assert why(provider) == "token"


@pytest.mark.parametrize(
    "answer",
    [
        *({}, [], b"", b"not json", b'"text"', {"id_token": 7}, {"id_token": "a.b"}, 302, 500),
        b"[" * 100_000,
        b'{"access_token": "a", "token_type": "Bearer", "expires_in": 1e999}',
        b" " * 300_000,
    ],
    ids=range(12),
)
def test_a_broken_answer_of_the_token_endpoint_counts_for_nothing(provider, answer):
    provider.answers = answer
    assert why(provider) == "token"


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": None},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "ftp://localhost/"},
        {"authorization_endpoint": "https://[bad"},
        {"authorization_endpoint": "https://id.practice.example/?a b=é"},
        {"authorization_endpoint": "https://\ud800"},
    ],
    ids=" ".join,
)
def test_a_provider_that_describes_itself_wrongly_is_not_asked(provider, described):
    provider.described.update(described)
    with pytest.raises(OpenIdError, match="provider"):
        asked(provider)


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri"])
def test_a_provider_without_what_comes_later_lets_nobody_in(provider, name):
    provider.described[name] = None
    assert why(provider) == "provider"


def test_keys_for_other_things_stand_in_nobodys_way(provider):
    strange = {"kty": "EC", "crv": "brainpoolP256r1", "x": "AA", "y": "AA", "kid": "strange"}
    provider.other_keys.extend([strange, {"kty": "nothing"}, 7])
    assert came_back(provider).subject == provider.subject


def test_an_answer_that_comes_late_counts_for_nothing(provider):
    address, question = asked(provider)
    answer = provider.approve(address)
    long_ago = replace(question, at=question.at - 601)
    with pytest.raises(OpenIdError, match="late"):
        openid.identity(provider.settings(), BACK, long_ago, answer)


def test_a_wrong_certificate_list_is_no_fault_of_the_program(provider, monkeypatch):
    provider.described["token_endpoint"] = provider.issuer.replace("http:", "https:")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/at/all")
    assert why(provider) == "token"


def slow(provider, monkeypatch):
    """Let the provider say one byte after the other, and our patience be a second."""
    monkeypatch.setattr(outbound, "_PATIENCE_SECONDS", 1)
    provider.drips = True


def test_a_provider_that_answers_for_ever_is_left(provider, monkeypatch):
    slow(provider, monkeypatch)
    began = time.monotonic()
    with pytest.raises(OpenIdError, match="provider"):
        asked(provider)
    assert time.monotonic() - began < 10


def test_many_who_knock_at_once_ask_a_slow_provider_once(provider, monkeypatch):
    slow(provider, monkeypatch)
    monkeypatch.setattr(outbound, "_QUEUE_SECONDS", 0.01)
    results = []

    def knock():
        try:
            asked(provider)
        except OpenIdError as error:
            results.append(error.why)

    knocking = [threading.Thread(target=knock) for _ in range(8)]
    for one in knocking:
        one.start()
    for one in knocking:
        one.join()
    assert results == ["provider"] * 8
    assert provider.described_times == 1


def test_a_provider_that_is_described_once_is_not_asked_again_for_a_while(provider):
    for _ in range(20):
        asked(provider)
    assert provider.described_times == 1
