"""Ways to sign in: what one can do about one's own, on the page."""

from datetime import UTC, datetime

from nrm.security import second_factor as codes
from tests.authenticator import Authenticator
from tests.page_checks import words
from tests.web.test_confirm import let_time_pass
from tests.web.test_sign_in import with_passkey


def test_a_new_telephone_takes_the_place_of_the_old(signed_in):
    page = signed_in("coordinator")
    page.get("/account/ways")
    html = page.click("Change to another telephone App on your telephone")
    seed = html.find(id="seed").get_text().replace(" ", "")
    html = page.post("/account/ways/app", {"code": "000000"}, status=422)
    assert html.find(id="seed").get_text().replace(" ", "") == seed
    code = codes.code_at(seed, codes.step_of(datetime.now(UTC)))
    page.post("/account/ways/app", {"code": code})
    assert "Your app is set up." in words(page.follow().main)


def test_a_passkey_is_added_and_removed_but_the_last_way_stays(signed_in):
    page = signed_in("coordinator")
    html = page.get("/account/ways")
    assert not [link for link in html.main.find_all("a") if words(link).startswith("Remove")]
    with_passkey(page)
    html = page.follow()
    assert "The passkey is added." in words(html.main)
    page.click("Remove Passkey 1")
    assert words(page.html.h1) == "Remove this passkey?"
    page.post(page.path)
    html = page.follow()
    assert "It is removed." in words(html.main)
    assert "You have none." in words(html.main)


def test_the_last_one_is_kept_also_where_its_page_stood_open(signed_in):
    page, other = signed_in("coordinator"), signed_in("coordinator")
    with_passkey(page)
    page.follow()
    html = page.click("Remove the app")
    assert words(html.h1) == "Remove your app?"
    stood_open, kept = page.path, page.html
    other.get("/account/ways")
    other.click("Remove Passkey 1")
    other.post(other.path)
    page.html = kept
    html = page.post(stood_open, status=409)
    assert "This is your last second factor." in words(html.main)


def test_a_passkey_that_does_not_suit_says_so(signed_in):
    page = signed_in("coordinator")
    bad = Authenticator("https://elsewhere.example")
    form = page.get("/account/ways/passkey").find("form", attrs={"data-passkey": "make"})
    answer = bad.make(form["data-question"])
    html = page.post("/account/ways/passkey", {"answer": answer}, status=422)
    assert "The passkey was not accepted. Nothing was added" in words(html.main)


def test_a_change_is_told_on_every_other_page_of_this_account(signed_in):
    """The page that did it has said so; the next sign-in, or whoever sits elsewhere, is told."""
    here, there = signed_in("coordinator"), signed_in("coordinator")
    here.get("/account/ways/codes")
    here.post("/account/ways/codes")
    html = here.follow()
    assert not html.select("header a[href='/notices']")
    assert "There is nothing new." in words(here.get("/notices").main)
    html = there.get("/account/ways")
    assert html.select("header a[href='/notices']")
    html = there.get("/notices")
    [told] = html.select(".nrm-notices__one")
    assert "New recovery codes were made for your account" in words(told)
    assert "If it was not you, and you did not ask for it, tell whoever looks after" in words(told)
    there.click("Look at it: New recovery codes were made for your account")
    assert words(there.html.h1) == "Ways to sign in"
    there.get("/notices")
    there.post(told.form["action"])
    assert not there.follow().select("header a[href='/notices']")


def test_somebody_elses_factor_is_not_found(signed_in):
    theirs = signed_in("auditor")
    with_passkey(theirs)
    theirs.follow()
    theirs.click("Remove Passkey 1")
    signed_in("coordinator").get(theirs.path, status=404)


def test_every_change_wants_a_confirmation(world, signed_in):
    page = signed_in("coordinator")
    with_passkey(page)
    page.follow()
    removing = [link["href"] for link in page.html.main.find_all("a") if "remove" in link["href"]]
    let_time_pass(world)
    page.get("/account/ways")
    for path in ("app", "passkey", "codes"):
        assert page.get(f"/account/ways/{path}", status=303).headers["Location"] == "/confirm"
    for path in removing:
        assert page.get(path, status=303).headers["Location"] == "/confirm"
    assert len(removing) == 2
