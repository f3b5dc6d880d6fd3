"""Lists of sittings and sign-ins ask few things of the database, however long they are."""

import pytest

from nrm.services import sign_in_history
from tests import world as worlds
from tests.guards.test_statements import MOST_OF_THE_LOG, asked_for, explained, noted, walks

INDEX = "ix_audit_entry_of_an_account"


@pytest.fixture
def busy(world, monkeypatch):
    """Let everybody sign in many times, so that one account is few of many entries."""
    monkeypatch.setattr(sign_in_history, "PAGE", 5)
    with world.entered():
        for number in range(12):
            for name in ("provider", "colleague", "coordinator"):
                if number % 3:
                    worlds.sitting(world, name)
                else:
                    worlds.knock(world, name, "wrong", f"192.0.{number}.1")
    return world


def of_the_log(asked):
    return [
        (statement, parameters)
        for statement, parameters in asked
        if "FROM audit_entry" in statement.replace("\n", " ") and "ORDER BY" in statement
    ]


def test_the_pages_ask_at_most_ten_things(busy, signed_in, counted):
    provider, keeper = signed_in("provider"), signed_in("administrator")
    person = f"/people/{busy.accounts['provider']}"
    counts = {
        path: len(asked_for(busy, page, path))
        for path, page in (
            ("/account/sittings", provider),
            ("/account/sign-ins", provider),
            (f"{person}/sittings", keeper),
            (f"{person}/sign-ins", keeper),
        )
    }
    said = {path.replace(person, "…"): count for path, count in counts.items()}
    counted(f"statements of the lists of sittings and sign-ins: {said}")
    assert all(0 < count <= MOST_OF_THE_LOG for count in counts.values()), said


def test_the_history_walks_its_index_on_every_page(busy, signed_in):
    page = signed_in("provider")
    listed = of_the_log(asked_for(busy, page, "/account/sign-ins"))
    assert len(listed) == 1
    walks(busy, listed, INDEX)
    older = page.html.select_one("a[rel=next]")["href"]
    listed = of_the_log(asked_for(busy, page, older))
    assert len(listed) == 1
    walks(busy, listed, INDEX)


def test_the_first_page_after_signing_in_counts_by_the_index_too(busy, signed_in):
    page = signed_in("provider")
    with noted(busy) as asked:
        page.client.get("/")
    of_account = [one for one in asked if "FROM audit_entry" in one[0].replace("\n", " ")]
    assert len(of_account) == 2
    for statement, parameters in of_account:
        plan = explained(busy, statement, parameters)
        assert INDEX in plan, plan
        assert "TEMP B-TREE" not in plan, plan
