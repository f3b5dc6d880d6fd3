"""Whatever is typed, a page says what is wrong, or keeps it as it was typed; it never breaks."""

import os
import pkgutil
from datetime import timedelta
from importlib import import_module
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import String, Uuid, cast, func, select
from wtforms import HiddenField
from wtforms.fields.core import UnboundField
from wtforms.validators import InputRequired, Length

from nrm.db import db
from nrm.domain.lifecycle import Assistance, ReferralState
from nrm.domain.roles import Role
from nrm.models import AuditEntry, Base, Case
from nrm.services import invitations, organisations
from nrm.services.accounts import NewAccount
from nrm.web import forms
from nrm.web.forms.base import Form as BaseForm
from tests import world as worlds
from tests.guards.forms import FORMS
from tests.ledger import state
from tests.page import PageClient, check
from tests.page_checks import words

PROOF = bool(os.environ.get("NRM_PROOF"))
TRIES = 80 if PROOF else 8
LONG = "x" * 50_000
# Right to left, with signs that turn the direction, and signs of four bytes.
STORY = "مرحبا، عالم \u202eabc\u202c\nשלום 🙂👩🏽\u200d🚒 “quoted” <b>&amp;</b> {{ 7 * 7 }}"  # noqa: RUF001 - Hebrew
NUL = "This holds a character that cannot be seen"

# What nobody asked for, and what would be found again if it were kept.
MARK = UUID("5ca1ab1e-0000-4000-8000-5ca1ab1e5ca1")
COLUMNS = {
    column.name: str(MARK) if isinstance(column.type, Uuid) else MARK.hex[:12]
    for table in Base.metadata.sorted_tables
    for column in table.columns
}

# What is wrong, on which form, what was typed, and what the page says of it.
BAD = [
    ("no such day", "question person", {"birth_date": ["31", "2", "2001"]}, "Enter a real date"),
    ("a day of words", "question person", {"birth_date": ["a", "b", "c"]}, "Enter a real date"),
    ("a huge year", "question person", {"birth_date": ["1", "1", "9" * 5000]}, "Enter a real date"),
    ("no phone", "question contact", {"phone": "call my sister"}, "Enter a phone number"),
    ("a long phone", "question contact", {"phone": "0" * 50_000}, "200 characters or fewer"),
    ("a long story", "question signs", {"account": LONG}, "20,000 characters or fewer"),
    ("a NUL byte", "question signs", {"account": "a\0b"}, NUL),
    ("a NUL in a line", "question person", {"given_name": "a\0b"}, NUL),
    ("no such code", "question report", {"source": "gold"}, "Choose an answer"),
    ("no such district", "question report", {"district": "\0"}, "Choose an answer"),
    ("no such sector", "question place", {"sector": "Nowhere"}, "Choose an answer"),
    ("no such tick", "question person", {"languages": ["kin", "gold"]}, "Choose an answer"),
    ("a long reason", "casefile.presume", {"words": LONG}, "20,000 characters or fewer"),
    ("a NUL in a reason", "casefile.presume", {"words": "a\0b"}, NUL),
    ("no such ground", "casefile.presume", {"basis": ["gold"]}, "Choose an answer"),
    ("no such form", "exploitation.record", {"exploitation": ["gold"]}, "Choose an answer"),
    ("no such work", "exploitation.record", {"sector": "gold"}, "Choose an answer"),
    ("no such route", "exploitation.record", {"flow": "\0"}, "Choose an answer"),
    ("no such reason", "casefile.close", {"reason": "gold"}, "Choose"),
    ("no such door", "casefile.open_fields", {"identity-reason": "gold"}, "Choose"),
    ("no reference", "casefile.find", {"reference": STORY}, ""),
    ("a long reference", "casefile.find", {"reference": LONG}, "too long for a reference"),
    ("a NUL reference", "casefile.find", {"reference": "\0"}, ""),
    ("no such reason", "erasure.ask", {"reason": "gold"}, "Choose an answer"),
    ("another reference", "erasure.carry_out", {"reference": "7K4M-29QX-C"}, "Type the reference"),
    ("no reference", "erasure.carry_out", {"reference": STORY}, "Type the reference"),
    ("a NUL reference", "erasure.carry_out", {"reference": "\0"}, NUL),
    ("a long reference", "erasure.carry_out", {"reference": LONG}, "too long for a reference"),
    ("no reference", "sightings.ask_file", {"reference": STORY}, ""),
    ("a NUL reference", "sightings.ask_file", {"reference": "\0"}, "Enter a reference"),
    ("a long reference", "sightings.ask_file", {"reference": LONG}, "has 9 characters"),
    ("nobody", "sightings.ask_account", {"email": ""}, "Enter the work e-mail"),
    ("a stranger", "sightings.ask_account", {"email": "no.one@practice.example"}, "e-mail"),
    ("no such day", "sightings.ask_account", {"since": ["31", "2", "2026"]}, "Enter a real date"),
    ("no day", "sightings.ask_account", {"until": ["", "", ""]}, "Enter the last day"),
    ("no such time", "sightings.ask_account", {"since_time": "25:00"}, "Enter a time of the day"),
    (
        "an end before the beginning",
        "sightings.ask_account",
        {"until": ["31", "1", "2026"]},
        "must not be before the first",
    ),
    (
        "a moment before the beginning",
        "sightings.ask_account",
        {"until": ["1", "2", "2026"], "since_time": "12:00", "until_time": "11:59"},
        "must come after the first",
    ),
    ("no name", "search.people", {"names": ""}, "Enter"),
    ("one letter", "search.people", {"names": "x"}, "letter"),
    ("a long name", "search.people", {"names": "x" * 500}, "200 characters or fewer"),
    ("a NUL name", "search.people", {"names": "\0"}, NUL),
    ("a NUL number", "search.people", {"identifier": "\0"}, NUL),
    ("no file", "documents.add", {"file": ""}, "Choose a file"),
    ("no such part", "documents.add", {"compartment": "enforcement"}, "Choose an answer"),
    ("no part", "documents.add", {"compartment": ""}, "Choose where the document belongs"),
    ("a long title", "documents.add", {"title": LONG}, "120 characters or fewer"),
    ("a NUL in a title", "documents.add", {"title": "a\0b"}, NUL),
    ("no such need", "referral.needs", {"now": ["gold"]}, "Choose at least one need"),
    ("no such service", "referral.choose", {"service": "gold"}, "Choose the service"),
    ("long words", "referral.send", {"safety": LONG}, "Safety must be 20,000 characters or fewer"),
    ("a NUL in words", "referral.send", {"arrangements": "\0"}, NUL),
    ("no such answer", "provision.decline", {"reason": "gold"}, "Choose why you decline"),
    ("long words", "provision.decline", {"words": LONG}, "20,000 characters or fewer"),
    ("a NUL in words", "provision.record_service", {"words": "\0"}, NUL),
    ("no such outcome", "provision.record_service", {"outcome": "gold"}, "Say whether"),
    ("no such day", "provision.record_service", {"given_on": ["0", "0", "0"]}, "Enter a real date"),
    ("no such method", "consent.record", {"method": "gold"}, "Choose"),
    ("a NUL in a line", "consent.record", {"interpreter": "\0"}, NUL),
    ("no such part", "consent.share", {"compartments": ["enforcement"]}, "Choose an answer"),
    ("no such e-mail", "people.invite", {"email": "a@b@c"}, "Enter an e-mail address"),
    ("a NUL in a name", "people.invite", {"name": "\0"}, NUL),
    ("a long name", "people.invite", {"name": LONG}, "120 characters or fewer"),
    ("no such role", "people.invite", {"role": "system"}, "Choose an answer"),
    ("a long search", "people.ask", {"text": LONG}, "Type 254 characters or fewer"),
    ("a NUL in a search", "people.ask", {"text": "\0"}, NUL),
    ("no such state", "people.ask", {"state": "gold"}, "Choose an answer"),
    ("no such reason", "people.disable", {"reason": "dormant"}, "Choose an answer"),
    ("no such reason", "people.renew", {"why": "gold"}, "Choose an answer"),
    ("no such role", "role_changes.change", {"role": "system"}, "Choose an answer"),
    ("another password", "welcome.activate", {"again": "something else"}, "not the same"),
    ("a long name", "organisations.create", {"name": LONG}, "200 characters or fewer"),
    ("a NUL in a name", "organisations.change", {"name": "\0"}, NUL),
    ("no whole number", "directory.submit", {"places": "-1"}, "Enter a whole number"),
    ("no such day", "directory.approve", {"until": ["31", "2", "2099"]}, "Enter a real date"),
    ("a long reason", "directory.suspend", {"reason": LONG}, "500 characters or fewer"),
    ("a NUL e-mail", "audit.ask", {"email": "\0"}, ""),
    ("a NUL reference", "audit.ask", {"reference": "\0"}, ""),
]

# What a browser never sends by itself.
STRANGE = [
    {"version": "abc"},
    {"version": ""},
    {"version": None},
    {"version": "9" * 5000},
    {"version": ["1", "2"]},
    {"form_id": "xyz"},
    {"form_id": "\0"},
    {"form_id": None},
    {"form_id": ["a", "b"]},
    {"x" * 50_000: "1", "\0": "\0", "": "", "مرحبا": "🙂"},
    {f"field_{number}": "1" for number in range(1_500)},
    {"csrf_token": "xyz"},
    {"csrf_token": None},
    {"csrf_token": "\0"},
]


@pytest.fixture
def browse(world, signed_in):
    """Give each person one browser for the whole test, and a new one to whoever is signed out."""
    browsers = {}

    def browser(name):
        if not name:
            return PageClient(world.app.test_client())
        if name not in browsers:
            browsers[name] = signed_in(name)
        return browsers[name]

    return browser


def form_of(name):
    [found] = [form for form in FORMS if str(form).endswith(name)]
    return found


def test_every_form_is_in_the_table(app):
    taken = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in rule.methods}
    assert taken == {form.endpoint for form in FORMS}


def test_what_is_too_long_is_said_in_our_words():
    """The words of the library are not in our catalogues, and name no field."""
    for module in pkgutil.iter_modules(forms.__path__):
        import_module(f"{forms.__name__}.{module.name}")
    silent, waiting = [], [BaseForm]
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        for name, field in vars(form).items():
            if not isinstance(field, UnboundField) or field.field_class is HiddenField:
                continue
            rules = field.kwargs.get("validators", ())
            silent += [
                f"{form.__name__}.{name}"
                for rule in rules
                if isinstance(rule, Length | InputRequired) and not rule.message
            ]
    assert not silent


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(world, browse, subtests, database_kind):
    opened = {}
    # Nothing that is wrong may reach a database; one of the two would not even take a NUL.
    bad = BAD if database_kind == "sqlite" else [wrong for wrong in BAD if "\\x00" in repr(wrong)]
    for what, name, typed, message in bad:
        form = form_of(name)
        with subtests.test(f"{what}: {form}"):
            page = browse(form.by)
            if name not in opened:
                # What is refused changes nothing, so that one record serves for all of it.
                opened[name] = form.opened(world, page)
            path, _form, fields = opened[name]
            html = page.post_raw(path, {**fields, **form.right, **typed}, status=422)
            assert words(html.title).startswith("Error: ")
            assert message in words(html.select_one(".govuk-error-summary"))
            assert_kept(html, {**form.right, **typed})


def assert_kept(html, typed):
    """Every line and every text of the form holds what was typed; a password is never shown."""
    shown = filled(html)
    for name, value in typed.items():
        if name in shown and isinstance(value, str) and "\0" not in value:
            assert shown[name] == value, name


def filled(html):
    texts = {area["name"]: area.get_text().removeprefix("\n") for area in html.select("textarea")}
    lines = {
        line["name"]: line.get("value", "")
        for line in html.select("main input[type=text], main input[type=email]")
    }
    return texts | lines


def test_a_birth_date_in_the_future_is_refused(world, browse):
    form = form_of("question person")
    page = browse(form.by)
    path, _form, fields = form.opened(world, page)
    later = world.today + timedelta(days=1)
    born = [str(part) for part in (later.day, later.month, later.year)]
    html = page.post_raw(path, {**fields, "birth_date": born, "given_name": "Kept"}, status=422)
    assert "The date of birth is in the future" in words(html.select_one(".govuk-error-summary"))
    assert [part["value"] for part in html.find_all(attrs={"name": "birth_date"})] == born
    assert html.find(attrs={"name": "given_name"})["value"] == "Kept"


def test_any_script_is_stored_as_it_was_typed(world, browse, subtests):
    for name, asked in WRITTEN.items():
        form = form_of(name)
        with subtests.test(name):
            page = browse(form.by)
            path, _form, fields = form.opened(world, page)
            # A browser sends the end of a line as two characters.
            typed = {asked: STORY.replace("\n", "\r\n")}
            page.post_raw(path, {**fields, **form.right, **typed}, status=303)
            html = page.get(path)
            kept = html.find("textarea", attrs={"name": asked}).get_text().removeprefix("\n")
            assert kept == STORY


WRITTEN = {
    "question signs": "account",
    "question place": "place_words",
    "question risk": "health_words",
    "question contact": "words",
}


def test_hidden_fields_of_the_wrong_kind_break_nothing(world, browse, subtests):
    for name in ("casefile.presume", "question signs", "referral.send", "provision.decline"):
        form, opened = form_of(name), None
        page = browse(form.by)
        for typed in STRANGE:
            with subtests.test(f"{name} {ascii(typed)[:40]}"):
                # What is refused changes nothing; only what was taken after all is made anew.
                opened = opened or form.opened(world, page)
                path, _form, fields = opened
                sent = {**fields, **form.right, **typed}
                sent = {name: value for name, value in sent.items() if value is not None}
                answer = page.client.post(path, data=sent)
                assert answer.status_code in {303, 400, 409, 413, 422}
                if answer.status_code == 303:
                    opened = None
                else:
                    assert words(check(answer.get_data(as_text=True)).h1)


def test_a_form_that_is_sent_again_has_one_result(world, browse, subtests, counted):
    """... and what it does not ask for is kept nowhere: every column there is comes along."""
    marked = 0
    for form in FORMS:
        if form.act:
            with subtests.test(str(form)):
                page = browse(form.by)
                path, found, fields = form.opened(world, page)
                typed = rightly_filled(page, form, found, fields)
                asked = offered(found)
                slipped_in = {name: mark for name, mark in COLUMNS.items() if name not in asked}
                sent_three_times(world, page, path, slipped_in | typed, form.act)
                marked += len(slipped_in)
    with world.entered():
        rows = [row for rows in state().values() for row in rows]
    assert [row for row in rows if MARK.hex[:12] in row.replace("-", "")] == []
    counted(f"{marked} fields that no form asked for, 0 kept")


def rightly_filled(page, form, found, fields):
    """Give what a right answer to the form is, with a choice where its page offers records."""
    typed = {**fields, **form.right}
    for name in ("organisation", "to"):
        if found.select(f"select[name={name}]"):
            typed[name] = some_option(page, name)
    if "reference" in typed:
        typed["reference"] = words(page.html.select_one("main .nrm-ref"))
    return typed


# To end what is going on is what these are for, and erasing takes away what has ended.
ENDING = {"casefile.close", "erasure.carry_out", "provision.end"}


def test_no_column_takes_what_its_form_does_not_ask_for(world, browse, subtests, lines, counted):
    """Row 34: right values, of records that are there; none is taken, and each try is logged."""
    valid, tried = valid_values(world), 0
    for form in FORMS:
        if form.act:
            with subtests.test(str(form)):
                page = browse(form.by)
                path, found, fields = form.opened(world, page)
                typed = rightly_filled(page, form, found, fields)
                slipped_in = {
                    name: value for name, value in valid.items() if name not in offered(found)
                }
                before, said = holding(world, slipped_in), len(lines())
                page.post_raw(path, slipped_in | typed, status=303)
                changed = {
                    name
                    for (_, name), number in holding(world, slipped_in).items() ^ before.items()
                }
                assert changed <= ({"assistance", "state"} if form.endpoint in ENDING else set())
                [unasked] = [line for line in lines()[said:] if line["event"] == "unasked"]
                assert unasked["names"] == sorted(slipped_in)
                assert unasked["number"] == len(slipped_in)
                tried += len(slipped_in)
    counted(f"row 34: {tried} right values that no form asked for, 0 taken, each one logged")


def valid_values(world):
    """Make an organisation, an account and a case for this alone, and choose a role and states."""
    with world.entered():
        by = world.actor("administrator")
        # First on every list: where a form offers organisations, the last one is chosen.
        place = organisations.create(by, "A Practice Place", "shelter", "11", is_provider=True)
        new = NewAccount(
            "A Practice Guest",
            "a.guest@practice.example",
            world.organisations["police"],
            Role.FIRST_RESPONDER,
        )
        account = invitations.invite(by, new).account_id
        reference = worlds.flag(world)
        case = db.session.scalars(select(Case.id).where(Case.reference == reference)).one()
        db.session.rollback()
    return {
        "account_id": str(account),
        "assistance": Assistance.CLOSED.value,
        "case_id": str(case),
        "organisation_id": str(place),
        "owner_id": str(account),
        "role": Role.DECISION_MAKER.value,
        "state": ReferralState.ENDED.value,
    }


def holding(world, values):
    """Count, in every table, the rows that hold such a value in the column of its name."""
    with world.entered(), db.engine.connect() as connection:
        return {
            (table.name, name): connection.scalar(
                select(func.count()).select_from(table).where(holds(table.columns[name], value))
            )
            for table in Base.metadata.sorted_tables
            for name, value in values.items()
            if name in table.columns
        }


def holds(column, value):
    if isinstance(column.type, Uuid):
        return column == UUID(value)
    return cast(column, String) == value


def sent_three_times(world, page, path, typed, act):
    before = acts(world, act)
    leads = set()
    for _time in range(3):
        page.post_raw(path, typed, status=303)
        leads.add(page.response.headers["Location"].split("#")[0])
    assert len(leads) == 1
    assert acts(world, act) == before + 1


def some_option(page, name):
    """Take the last answer of a select: the first one asks to choose."""
    return page.html.select(f"select[name={name}] option")[-1]["value"]


def acts(world, action):
    with world.entered():
        query = select(func.count()).where(AuditEntry.action == action)
        return db.session.scalar(query.where(AuditEntry.outcome == "done"))


# Values at random


NASTY = [
    "",
    " ",
    "\0",
    "a\0b",
    "0",
    "-1",
    "1",
    "9" * 30,
    "٣",
    "²",
    "1e9",
    "NaN",
    "None",
    "true",
    "yes",
    "gold",
    "\u202e",
    "مرحبا",
    "🙂",
    "\ud7ff\ufffd",
    "' OR 1=1 --",
    "../../../etc/passwd",
    "{{ 7 * 7 }}",
    "%(x)s %s {0}",
    "<script>",
    "00000000-0000-0000-0000-000000000000",
    "2026-02-30",
    "\r\n\r\n",
    LONG,
]
ANYTHING = st.one_of(
    st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
)


def test_a_form_filled_in_at_random_is_answered(world, browse, subtests):
    for form in FORMS:
        with subtests.test(str(form)):
            page = browse(form.by)
            path, found, fields = form.opened(world, page)
            fill_in_at_random(page.client, path, fields, offered(found))


def fill_in_at_random(client, path, fields, options):
    """Send the form with some fields changed, some left out, and some twice."""
    token = {name: value for name, value in fields.items() if "csrf_token" in name}
    values = {
        name: st.one_of(st.sampled_from(known or [""]), ANYTHING, st.lists(ANYTHING, max_size=3))
        for name, known in options.items()
        if name not in token
    }

    @settings(max_examples=TRIES, deadline=None, database=None, derandomize=not PROOF)
    @given(typed=st.fixed_dictionaries({}, optional=values), kept=st.booleans())
    def send(typed, kept):
        answer = client.post(path, data={**(fields if kept else token), **typed})
        assert answer.status_code < 500, answer.status_code

    send()


def offered(form):
    """Name every field of a form with the values that its page offers for it."""
    options = {}
    for element in form.find_all(["input", "textarea", "select", "button"]):
        if element.get("name"):
            known = [option.get("value", "") for option in element.find_all("option")]
            options.setdefault(element["name"], []).extend(known or [element.get("value", "")])
    return options


# Where what is typed may stand in an address.
ASKED = [
    ("coordinator", "/cases?queue={0}&after={0}"),
    ("coordinator", "/cases/{0}"),
    ("coordinator", "/cases/{1}/consent/share?to={0}"),
    ("coordinator", "/cases/{1}/consent/withdraw?recipient={0}"),
    ("coordinator", "/cases/{1}/referrals/{0}/withdraw"),
    ("coordinator", "/cases/{1}/documents/{0}/file"),
    ("coordinator", "/cases/{1}/documents/{0}/remove"),
    ("coordinator", "/directory?after={0}"),
    ("first_responder", "/flags?after={0}"),
    ("first_responder", "/flags/{0}"),
    ("first_responder", "/flags/{0}/sent"),
    ("provider", "/inbox?state={0}&after={0}"),
    ("provider", "/referrals/{0}"),
    ("administrator", "/people?after={0}"),
    ("auditor", "/audit?before={0}&person={0}"),
    ("auditor", "/audit?reference={0}"),
    ("auditor", "/audit?organisation={0}&act={0}&outcome={0}&since={0}&until={0}"),
]
IN_ADDRESSES = [value for value in NASTY if value not in ("", LONG)]


def test_no_address_breaks_a_page(world, browse, subtests):
    reference = worlds.flag(world)
    for name, address in ASKED:
        for value in IN_ADDRESSES if PROOF else ["\0", "٣", *IN_ADDRESSES[::5]]:
            with subtests.test(f"{address} {value!a}"):
                path = address.format(quote(value, safe=""), reference)
                answer = browse(name).client.get(path)
                assert answer.status_code < 500
