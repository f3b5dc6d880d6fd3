"""Another institution's sign-in as its pages show it: there, back, connected, refused, removed."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from nrm.security import openid
from tests import openid_provider
from tests import world as worlds
from tests.openid_provider import NAME, STRONG
from tests.page import REDIRECTS, PageClient
from tests.page_checks import words
from tests.web.test_confirm import let_time_pass

BEGIN, BACK = "/sign-in/federated", "/sign-in/federated/back"
CONNECT = "/account/ways/federated"


@pytest.fixture
def provider(world):
    openid._descriptions.forget()
    with openid_provider.running() as running:
        openid_and_origin = {"openid": running.settings(STRONG), "origin": "http://localhost"}
        world.app.config["NRM"] = replace(world.app.config["NRM"], **openid_and_origin)
        yield running


@pytest.fixture
def visitor(world):
    return PageClient(world.app.test_client())


def goes_there(page, where=BEGIN):
    """Be sent away, and approve there; returns the address at which one comes back."""
    html = page.get(where)
    to = html.find("meta", {"http-equiv": "refresh"})["content"].partition("url=")[2]
    assert to.startswith("http://localhost:")
    return to


def comes_back(page, provider, where=BEGIN, **changed):
    answer = {**provider.approve(goes_there(page, where)), **changed}
    page.get(f"{BACK}?{urlencode(answer)}", status=303)
    return arrives(page)


def arrives(page):
    """Go on from the door to one's own first page."""
    while page.response.status_code in REDIRECTS:
        page.follow(status=None if page.response.headers["Location"] == "/" else 200)
    return page.html


def test_whoever_never_heard_of_it_sees_nothing_of_it(visitor, signed_in):
    assert "Or, if you connected" not in words(visitor.get("/sign-in").main)
    visitor.get(BEGIN, status=303)
    assert "institution" not in words(signed_in("coordinator").get("/account/ways").main)
    signed_in("coordinator").get(CONNECT, status=404)


def test_somebody_connects_signs_in_and_takes_it_back(world, provider, visitor, signed_in):
    page = signed_in("coordinator")
    page.get("/account/ways")
    assert f"Connect with {NAME}" in words(page.html.main)
    html = comes_back(page, provider, CONNECT)
    assert f"You can sign in with {NAME} from now on." in words(html.main)
    assert "Since" in words(html.main)

    html = visitor.get("/sign-in")
    assert visitor.html.find("a", href=BEGIN)
    html = comes_back(visitor, provider)
    assert words(html.h1) == "Second step"
    code = worlds.fresh_code(world.app, world.email("coordinator"))
    visitor.post("/sign-in/code", {"code": code})
    assert arrives(visitor).find(class_="nrm-header__user")

    page.get("/account/ways")
    html = page.click("Remove Connected")
    assert words(html.h1) == "Remove the connection?"
    page.post(page.path)
    assert "Sign in with your password from now on." in words(page.follow().main)
    html = comes_back(PageClient(world.app.test_client()), provider)
    assert "You are not signed in." in words(html.main)


def test_a_second_factor_there_signs_in_and_is_asked_for_here_where_it_matters(
    provider, visitor, signed_in
):
    comes_back(signed_in("coordinator"), provider, CONNECT)
    provider.claims["acr"] = STRONG
    html = comes_back(visitor, provider)
    assert html.find(class_="nrm-header__user")
    visitor.get("/account/ways/codes", status=303)
    assert words(visitor.follow().h1) == "Confirm that it is you"


def test_connecting_asks_for_the_second_factor_first(world, provider, signed_in):
    page = signed_in("coordinator")
    let_time_pass(world)
    page.get(CONNECT, status=303)
    assert words(page.follow().h1) == "Confirm that it is you"
    assert provider.codes == {}


@pytest.mark.parametrize(
    "changed",
    [{"state": "another"}, {"code": "guessed"}, {"error": "access_denied"}, {"iss": "https://x"}],
)
def test_what_proves_nothing_says_what_to_do_next_and_no_more(provider, visitor, changed):
    html = comes_back(visitor, provider, **changed)
    assert words(html.h1) == "Sign in"
    said = words(html.find(role="alert"))
    assert said.startswith(f"You are not signed in. Either it was not finished at {NAME}, or ")
    assert said.endswith("connect the two under “Ways to sign in”.")


def test_an_unknown_and_a_false_answer_look_the_same(world, provider, visitor):
    unknown = words(comes_back(visitor, provider).main)
    other = PageClient(world.app.test_client())
    assert words(comes_back(other, provider, code="guessed").main) == unknown


def test_an_answer_counts_once_and_in_the_browser_that_asked(world, provider, visitor, signed_in):
    comes_back(signed_in("coordinator"), provider, CONNECT)
    provider.claims["acr"] = STRONG
    answer = provider.approve(goes_there(visitor))
    address = f"{BACK}?{urlencode(answer)}"
    # Somebody else opens the link, in a browser with a sitting that asked nothing.
    other = PageClient(world.app.test_client())
    other.get("/sign-in")
    other.get(f"{address}&again=1", status=303)
    assert words(other.follow().h1) == "Sign in"
    visitor.get(address, status=303)
    assert arrives(visitor).find(class_="nrm-header__user")
    visitor.post("/sign-out")
    visitor.get("/sign-in")
    visitor.get(f"{address}&again=1", status=303)
    assert words(visitor.follow().h1) == "Sign in"


def test_a_browser_that_comes_from_elsewhere_is_led_on_by_a_page_of_ours(world, provider, visitor):
    answer = provider.approve(goes_there(visitor))
    without = PageClient(world.app.test_client())
    html = without.get(f"{BACK}?{urlencode(answer)}")
    to = html.find("meta", {"http-equiv": "refresh"})["content"]
    assert to.startswith(f"0; url={BACK}?")
    assert to.endswith("again=1")
    # It gives no cookie, which would take the place of the one that the browser has.
    assert "Set-Cookie" not in without.response.headers
    html = without.get(
        f"{BACK}?{urlencode({**answer, 'next': 'https://elsewhere.practice.example'})}"
    )
    assert "elsewhere" not in str(html)
    visitor.get(html.find("meta", {"http-equiv": "refresh"})["content"].partition("url=")[2], 303)
    assert words(visitor.follow().h1) == "Sign in"


def test_a_link_with_another_state_leaves_the_right_answer_good(provider, visitor, signed_in):
    comes_back(signed_in("coordinator"), provider, CONNECT)
    answer = provider.approve(goes_there(visitor))
    visitor.get(f"{BACK}?state=x&code=y", status=303)
    assert "You are not signed in." in words(arrives(visitor).main)
    visitor.get(f"{BACK}?{urlencode(answer)}", status=303)
    assert words(arrives(visitor).h1) == "Second step"


def test_whoever_comes_back_to_a_sitting_that_was_left_open_connects_nothing(
    world, provider, signed_in
):
    page = signed_in("coordinator")
    answer = provider.approve(goes_there(page, CONNECT))
    let_time_pass(world)
    page.get(f"{BACK}?{urlencode(answer)}", status=303)
    assert "Nothing is connected" in words(arrives(page).find(role="alert"))


def test_a_connection_with_a_provider_of_before_says_so(world, provider, signed_in):
    page = signed_in("coordinator")
    comes_back(page, provider, CONNECT)
    settings = world.app.config["NRM"]
    another = replace(settings.openid, issuer="https://new.practice.example", name="New sign-in")
    world.app.config["NRM"] = replace(settings, openid=another)
    html = page.get("/account/ways")
    assert "a sign-in that is not used here any more" in words(html.main)
    assert "New sign-in" not in words(html.main)
    administrator = signed_in("administrator")
    html = administrator.get(f"/people/{world.accounts['coordinator']}")
    assert "Sign-in of another institution Connected" in words(html.main)
    html = page.get("/account/password")
    assert "The account of another institution still signs you in." in words(html.main)


@pytest.mark.usefixtures("provider")
def test_somebody_who_is_signed_in_already_stays_who_they_are(signed_in):
    page = signed_in("coordinator")
    page.get(BEGIN, status=302)
    assert page.response.headers["Location"] == "/"
    # Nor does the answer to a question of before.
    page.get(f"{BACK}?code=x&state=y", status=303)
    assert page.response.headers["Location"] == "/"


def test_what_is_taken_is_not_connected_again(provider, signed_in):
    comes_back(signed_in("coordinator"), provider, CONNECT)
    html = comes_back(signed_in("second_coordinator"), provider, CONNECT)
    assert "is connected already" in words(html.find(role="alert"))


def test_a_false_answer_connects_nothing(provider, signed_in):
    provider.claims["nonce"] = "another"
    html = comes_back(signed_in("coordinator"), provider, CONNECT)
    assert "Nothing is connected" in words(html.find(role="alert"))
    assert "If you have an account there" in words(html.main)


def test_a_silent_provider_leaves_the_password(provider, visitor):
    provider.described["issuer"] = "https://elsewhere.practice.example"
    visitor.get(BEGIN, status=303)
    html = visitor.follow()
    assert words(html.find(role="alert")) == f"{NAME} does not answer. Sign in with your password."


def test_a_waiting_sign_in_ends_with_another_one(provider, visitor, signed_in):
    comes_back(signed_in("coordinator"), provider, CONNECT)
    before = goes_there(visitor)
    answer = provider.approve(goes_there(visitor))
    late = provider.approve(before)
    visitor.get(f"{BACK}?{urlencode(late)}", status=303)
    html = visitor.follow()
    assert "You are not signed in." in words(html.main)
    assert answer["state"] != late["state"]
