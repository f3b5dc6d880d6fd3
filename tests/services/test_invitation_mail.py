"""The e-mail with a link says neither who it is for nor what this is; it is in the log twice."""

import email
from email.policy import default

import pytest

from nrm.domain.errors import RefusedError
from nrm.domain.roles import ROLE_LABEL, Role
from nrm.services import invitation_mail, invitations
from nrm.services.accounts import NewAccount
from nrm.web.people import _message
from tests.ledger import nothing_changes
from tests.services.mail_server import serving

ADDRESS = "https://nrm.example/welcome/practice-token"


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def link(world):
    home = world.organisations["lakes"]
    new = NewAccount("Practice Newcomer", "new@practice.example", home, Role.PROVIDER)
    return invitations.invite(world.actor("administrator"), new).link


def sent(app, world, link, server, by="administrator"):
    with app.test_request_context():
        words = _message()
    return invitation_mail.send(world.actor(by), link, ADDRESS, server.address, words)


def test_the_message_holds_the_address_and_nothing_of_the_person(app, world, link, server, ledger):
    assert sent(app, world, link, server)
    message = email.message_from_string(server.message, policy=default)
    assert message["To"] == "new@practice.example"
    assert ADDRESS in message.get_content()
    told = f"{message['Subject']} {message.get_content()}".casefold()
    hidden = (
        "Newcomer",
        "traffick",
        "victim",
        "referral",
        "shelter",
        "lakes",
        *ROLE_LABEL.values(),
    )
    assert [word for word in hidden if word.casefold() in told] == []
    assert [(entry.action, entry.outcome) for entry in ledger.entries()] == [
        ("invitation:send", "begun"),
        ("invitation:send", "done"),
    ]


def test_a_server_that_does_not_take_it_is_said(app, world, link, server, ledger):
    server.refuses = True
    assert not sent(app, world, link, server)
    assert [entry.outcome for entry in ledger.entries()] == ["begun", "failed"]


def test_nobody_else_sends_one(app, world, link, server):
    with nothing_changes(), pytest.raises(RefusedError):
        sent(app, world, link, server, by="coordinator")
    assert server.heard == []
