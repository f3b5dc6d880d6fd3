"""What the tests of the people pages share."""

from sqlalchemy import select

from nrm.db import db
from nrm.models import Account, AuditEntry
from tests.page_checks import words

CHOSEN = "four plain words here"
EMAIL = "new.comer@practice.example"


def entries(world, action):
    with world.entered():
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
        return db.session.scalars(query).all()


def account(world, email):
    with world.entered():
        return db.session.scalars(select(Account).where(Account.email == email)).one_or_none()


def new(world, home="police", **changed):
    usual = {"name": "Practice Newcomer", "email": f" {EMAIL.title()} ", "role": "first_responder"}
    return {**usual, "organisation": str(world.organisations[home]), **changed}


def errors(html):
    links = html.select(".govuk-error-summary__list a")
    assert all(html.find(id=link["href"][1:]) for link in links)
    return {link["href"][1:]: words(link) for link in links}


def rows(html):
    """Give each row of the table as the words of its cells."""
    return [
        [" ".join(cell.stripped_strings) for cell in row.find_all(["th", "td"])]
        for row in html.select("tbody tr")
    ]


def link_on(html):
    """Read the new link from the page that shows it: the path of its address."""
    [address] = [text for text in html.main.stripped_strings if "/welcome/" in text]
    assert address.startswith("http://localhost/welcome/")
    return address.removeprefix("http://localhost")


def invited(world, page, **changed):
    """Invite somebody: the path of the link."""
    page.get("/people/new")
    page.post("/people/new", new(world, **changed))
    return link_on(page.follow())
