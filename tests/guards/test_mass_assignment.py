"""What a form did not ask for is not taken from it: no role, owner, organisation, state or case."""

import functools
import sys

import pytest
from sqlalchemy import select

from nrm.db import Unit, db
from nrm.models import Base, Case
from nrm.services.resealing import KINDS
from tests import vault
from tests import world as worlds
from tests.guards.forms import FORMS
from tests.guards.test_bad_input import some_option
from tests.page_checks import words

pytestmark = pytest.mark.databases("sqlite")

WORD = "kanarisneaked"
# What a program that takes whatever it is sent would believe.
WORDS = (
    *("role", "is_admin", "is_provider", "permission", "permissions", "practice"),
    *("state", "status", "identification", "assistance", "outcome", "verdict", "answer"),
    *("approved_until", "approved_at", "disabled_at", "erased_at", "closed_at", "expires_at"),
    *("password_hash", "token_hash", "confirmed_at", "email_verified", "urgency", "kind", "basis"),
)
PEOPLE = (
    *("account", "account_id", "actor_id", "owner", "owner_id", "asked_by_id", "submitted_by_id"),
    *("flagged_by_id", "answered_by_id", "approved_by_id", "recorded_by_id", "id", "user_id"),
)
PLACES = ("org", "organisation", "organisation_id", "flagged_by_organisation_id", "recipient_id")
CASES = ("case", "case_id", "subject_id", "referral_id", "incident_id", "listing_id")


@pytest.fixture
def stranger(world):
    """Give an account, an organisation and a case that no form of these tests is about."""
    # Unlike anybody else, so that no comparison finds the person.
    unlike = {"given_name": "Xola", "family_name": "Quvenzhane"}
    number = {"phone": "+250788999777"}
    reference = worlds.flag(world, "other_responder", person=unlike, contact=number)
    with world.entered():
        case = db.session.scalars(select(Case.id).where(Case.reference == reference)).one()
        db.session.remove()
    return {
        **dict.fromkeys(WORDS, WORD),
        **dict.fromkeys(PEOPLE, str(world.accounts["organisation_administrator"])),
        **dict.fromkeys(PLACES, str(world.organisations["border"])),
        **dict.fromkeys(CASES, str(case)),
    }


@pytest.fixture
def browse(signed_in):
    """Give each person one browser for the whole test."""
    return functools.cache(signed_in)


def opened_documents():
    """Open everything that is sealed about people and in drafts, but what was erased."""
    db.session.rollback()
    unit = Unit(now=None)
    for kind in (*KINDS, vault.DRAFTS):
        for row in db.session.scalars(select(kind.model)):
            if db.session.get(vault.WRAPPED[kind.purpose], row.key_id) is not None:
                yield vault.opened(unit, kind, row)
    db.session.rollback()


def mentions(world, values):
    """Count in every table, and in everything that is sealed about people, who is mentioned."""
    with world.entered():
        held = repr(sorted(opened_documents(), key=repr))
        with db.engine.connect() as connection:
            rows = [
                repr(tuple(row))
                for table in Base.metadata.sorted_tables
                # The log and the sittings grow by every click of whoever is signed in.
                if table.name not in {"audit_entry", "auth_session"}
                for row in connection.execute(select(table))
            ]
    text = "\n".join([held, *rows])
    return {value: text.count(value) for value in values}


def test_every_form_ignores_what_it_did_not_ask_for(world, browse, stranger, subtests, capsys):
    """Each form is sent complete, and with every field that a program might believe beside it."""
    values = set(stranger.values())
    sent = beside = 0
    for form in FORMS:
        if form.endpoint in {"account.sign_in", "account.sign_out"}:
            continue
        with subtests.test(str(form)):
            page = browse(form.by)
            path, _form, fields = form.opened(world, page)
            typed = {**fields, **form.right}
            if "organisation" in fields:
                typed["organisation"] = some_option(page, "organisation")
            if form.endpoint == "erasure.carry_out":
                typed["reference"] = words(page.html.select_one("main .nrm-ref"))
            extra = {name: value for name, value in stranger.items() if name not in typed}
            before = mentions(world, values)
            answer = page.client.post(path, data={**typed, **extra})
            # A file is read to its end, as a browser would.
            answer.get_data()
            # Without a right answer of its own, a form may ask for one.
            fine = {200, 303} if form.right or form.act else {200, 303, 422}
            assert answer.status_code in fine, answer.status_code
            assert mentions(world, values) == before
            sent += 1
            beside += len(extra)
    with capsys.disabled():
        sys.stdout.write(f"\n  {sent} forms sent, {beside:,} fields beside theirs: 0 taken\n")
    assert sent == len(FORMS) - 2


def test_signing_in_takes_no_more_than_who_and_the_password(world, page, stranger):
    values = set(stranger.values())
    page.get("/sign-in")
    before = mentions(world, values)
    typed = {"email": world.email("analyst"), "password": worlds.PASSWORD}
    page.post("/sign-in", typed | stranger)
    assert mentions(world, values) == before
    # Still an analyst.
    page.get("/people", status=403)
    page.get("/cases", status=403)
