"""The page client refuses every fault it claims to refuse, and sends what a browser would send."""

import pytest
from flask import Flask, redirect, request

from tests.page import PageClient, check

SOUND = """<!doctype html>
<html lang="en">
<head><title>Sign in – Referral system</title><script src="/static/build/main.js"></script></head>
<body>
  <a href="#main">Skip to main content</a>
  <main id="main">
    <h1>Sign in</h1>
    <form method="post" action="/sign-in">
      <input type="hidden" name="csrf_token" value="token">
      <input type="hidden" name="form_id" value="7">
      <label for="email">E-mail</label>
      <p id="email-hint">As your administrator wrote it.</p>
      <input id="email" name="email" aria-describedby="email-hint" value="">
      <label>Language <select name="language"><option value="en">English</option>
        <option value="rw" selected>Kinyarwanda</option></select></label>
      <label>Note <textarea name="note">\nAs typed</textarea></label>
      <label><input type="checkbox" name="stay" value="yes"> Stay signed in</label>
      <button name="act" value="go">Continue</button>
    </form>
    <p>None of these are yours? <a href="/help">Ask for help</a></p>
  </main>
</body>
</html>"""

FAULTS = [
    # what is put instead of what, and a part of the message
    ("<h1>Sign in</h1>", "", "0 h1 headings"),
    ("<h1>Sign in</h1>", "<h1>Sign in</h1><h1>Again</h1>", "2 h1 headings"),
    ("<h1>Sign in</h1>", "<h1></h1>", "the h1 is empty"),
    ("<title>Sign in – Referral system</title>", "", "no title"),
    ("<title>Sign in – Referral system</title>", "<title>System</title>", "does not hold the h1"),
    (' lang="en"', "", "html has no lang"),
    ('<label for="email">E-mail</label>', "", 'id="email" name="email"> has no label'),
    ("<label>Language ", "<label></label>", 'name="language"> has no label'),
    ("<label>Note ", "<label></label>", 'name="note"> has no label'),
    ('for="email"', 'for="mail"', "a label is for 'mail'"),
    ('name="csrf_token" value="token"', 'name="other"', "has no csrf_token"),
    ('name="csrf_token" value="token"', 'name="csrf_token"', "has no csrf_token"),
    ('method="post" ', "", "has no method"),
    ('method="post" ', 'method="get" ', "put its csrf_token into the address"),
    ("</main>", "<script>alert(1)</script></main>", "a script stands in the page"),
    ("</main>", "<style>p { color: red }</style></main>", "stands in the page itself"),
    ("<main ", '<main style="color: red" ', "has a style attribute"),
    ("<main ", '<main onclick="go()" ', "has the handler onclick"),
    ('href="/help"', 'href="javascript:go()"', "has the address 'javascript:go()'"),
    ("</main>", '<img alt="" src="data:image/png;base64,AA"></main>', "has the address 'data:"),
    ("</main>", '<img alt="" src="//example.org/a.png"></main>', "reaches another origin"),
    ('href="/help"', "", "leads nowhere"),
    ('href="/help"', 'href="#"', "leads nowhere"),
    ('href="#main"', 'href="#content"', "'#content', which is not on the page"),
    (">Ask for help</a>", "></a>", "has no words"),
    ('id="email-hint"', 'id="email"', "the id 'email' is used 2 times"),
    ('id="main"', 'id="the main part"', "holds a space"),
    ('id="email-hint"', 'id="hint"', "names 'email-hint' in aria-describedby"),
    ("As your administrator wrote it.", "Written by None.", "shows None"),
    ('href="/help"', 'href="/help" aria-label="None"', "the aria-label of <a> shows None"),
    ("As your administrator wrote it.", "Written by %(name)s.", "shows a raw message"),
    ("As your administrator wrote it.", "As on GOV.UK.", "the page holds 'GOV.UK'"),
    ("<main ", '<main class="footer__crest" ', "the page holds 'crest'"),
]


def test_a_sound_page_is_given_parsed():
    assert check(SOUND).h1.text == "Sign in"


@pytest.mark.parametrize(("instead_of", "put", "message"), FAULTS)
def test_a_faulty_page_is_refused(instead_of, put, message):
    assert instead_of in SOUND
    with pytest.raises(AssertionError) as refusal:
        check(SOUND.replace(instead_of, put))
    assert message in str(refusal.value)


def test_all_faults_are_listed_at_once():
    broken = SOUND.replace(' lang="en"', "").replace("<h1>Sign in</h1>", "")
    with pytest.raises(AssertionError, match=r"(?s)h1 headings.*no lang"):
        check(broken)


@pytest.fixture
def page():
    app = Flask(__name__)
    received = []
    app.add_url_rule("/sign-in", "form", lambda: SOUND)
    app.add_url_rule("/broken", "broken", lambda: SOUND.replace("h1>", "h2>"))
    app.add_url_rule("/data", "data", lambda: {"fine": True})

    @app.post("/sign-in")
    def receive():
        received.append(request.form.to_dict())
        return redirect("/sign-in?again=1")

    client = PageClient(app.test_client())
    client.received = received
    return client


def test_a_form_is_sent_with_its_hidden_fields_and_given_values(page):
    page.post("/sign-in", {"email": "someone@example.org"})

    assert page.received == [
        {
            "csrf_token": "token",
            "form_id": "7",
            "email": "someone@example.org",
            "language": "rw",
            "note": "As typed",
        }
    ]


def test_a_value_of_none_leaves_the_field_out(page):
    page.get("/sign-in")
    page.post("/sign-in", {"csrf_token": None, "stay": "yes"})

    assert "csrf_token" not in page.received[0]
    assert page.received[0]["stay"] == "yes"


def test_an_answer_can_be_followed(page):
    page.post("/sign-in")

    assert page.follow().h1.text == "Sign in"
    assert page.path == "/sign-in?again=1"


def test_another_status_than_expected_is_refused(page):
    with pytest.raises(AssertionError, match=r"/missing answered 404 instead of 200"):
        page.get("/missing")
    with pytest.raises(AssertionError, match=r"/sign-in answered 302 instead of 422"):
        page.post("/sign-in", status=422)


def test_every_page_fetched_is_checked(page):
    with pytest.raises(AssertionError, match=r"/broken is not as a page must be"):
        page.get("/broken")


def test_other_answers_are_given_as_they_are(page):
    assert page.get("/data").json == {"fine": True}


def test_following_where_nothing_leads_is_refused(page):
    page.get("/sign-in")
    with pytest.raises(AssertionError, match="leads nowhere"):
        page.follow()


def test_a_link_is_found_by_its_words(page):
    page.get("/sign-in")
    with pytest.raises(AssertionError, match="/help answered 404"):
        page.click("Ask for help")
