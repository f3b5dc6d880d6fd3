"""The newest checkpoint goes to somebody outside once a day, by a real mail server on loopback."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.utils import parsedate_to_datetime

import pytest

from nrm.audit.checkpoint import signed
from nrm.audit.verify import EMPTY_ROOT, Trusted, read_checkpoint, read_root, verify_file
from nrm.db import acting_at
from nrm.services import checkpoint_mail, log_bundle, log_check
from nrm.services.mail import MailError, send
from tests import log
from tests.services.mail_server import serving

TO = "keeper@practice.example"
CHECKPOINT = read_checkpoint(
    signed("nrm.log/practice", 0, EMPTY_ROOT, datetime(2026, 11, 24, 6, tzinfo=UTC), bytes(32))
)


@pytest.fixture
def server():
    with serving() as server:
        yield server


def sent(server, to=TO):
    return checkpoint_mail.send_daily(CHECKPOINT, server.address, to)


def outcomes(ledger):
    return [(entry.action, entry.outcome) for entry in ledger.entries()]


def test_the_message_is_the_checkpoint_and_says_nothing_of_the_log(server, ledger):
    assert sent(server)
    assert f"To: {TO}" in server.message
    kept = server.message.replace("\r\n", "\n").split("-\n")[1]
    assert "nrm.log/practice" in kept
    assert "time 2026-11-24T06:00:00Z" in kept
    assert outcomes(ledger) == [("checkpoint:send", "begun"), ("checkpoint:send", "done")]


def test_what_stands_in_the_message_is_what_is_typed(server, world, settings, tmp_path):
    """Whoever kept it copies a line of it, and has the log held against what it says."""
    del world
    checkpoint = log.sign(settings, tmp_path / "second place")
    checkpoint_mail.send_daily(checkpoint, server.address, TO)
    message = message_from_string(server.message).get_payload(decode=True)
    text = message.decode().replace("\r\n", "\n")
    said = re.findall(r"^(.+) --root (.+)$", text, re.MULTILINE)
    assert [command for command, _ in said] == ["nrm audit verify", "python verify.py log.bundle"]
    lines = text.split("-\n")[1].split("\n")
    bundle = tmp_path / "log.bundle"
    log_bundle.export(bundle, lambda *_: None)
    for copied in (*(root for _, root in said), " ".join(lines[1:3]), "\n".join(lines[:3])):
        kept = read_root(copied)
        assert (kept.size, kept.root) == (checkpoint.size, checkpoint.root)
        assert log_check.verify(lambda _: None, kept).findings == []
        assert "have the root hash that you kept" in verify_file(bundle, Trusted(noted=kept))
    # And the whole of it, saved as a file, is a checkpoint still.
    assert read_checkpoint("\n".join(lines).strip() + "\n") == checkpoint


def test_the_message_says_when_it_was_sent_and_has_a_number_of_its_own(server, world):
    del world
    numbers = set()
    for hours in (50, 25):
        with acting_at(datetime.now(UTC) - timedelta(hours=hours)):
            assert sent(server)
        headers = message_from_string(server.message)
        moment = parsedate_to_datetime(headers["Date"])
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)
        numbers.add(headers["Message-ID"])
        # Nothing of the machine that sent it.
        assert headers["Message-ID"].endswith("@127.0.0.1>")
    assert len(numbers) == 2


def test_it_is_sent_once_a_day(server, world):
    del world
    assert sent(server)
    assert not sent(server)
    with acting_at(datetime.now(UTC) - timedelta(days=3)):
        assert not sent(server)


def test_what_was_sent_long_ago_does_not_count(server, world):
    del world
    with acting_at(datetime.now(UTC) - timedelta(hours=25)):
        assert sent(server)
    assert sent(server)


def test_a_server_that_refuses_is_asked_again_in_an_hour_and_not_before(server, ledger):
    server.refuses = True
    with acting_at(datetime.now(UTC) - timedelta(minutes=61)), pytest.raises(MailError):
        sent(server)
    assert outcomes(ledger) == [("checkpoint:send", "begun"), ("checkpoint:send", "failed")]
    with pytest.raises(MailError) as refused:
        sent(server)
    assert TO not in str(refused.value)
    assert not sent(server)


def test_nothing_is_sent_where_nobody_is_named(server, ledger):
    assert not sent(server, to="")
    assert not checkpoint_mail.send_daily(CHECKPOINT, "", TO)
    assert (server.heard, outcomes(ledger)) == ([], [])


@pytest.mark.parametrize("address", ["mail.example", "http://mail.example", "smtp://", ""])
def test_what_is_no_address_of_a_mail_server_is_refused(address):
    with pytest.raises(MailError, match="NRM_MAIL"):
        send(address, TO, "practice", "practice")


def test_no_password_goes_out_without_encryption(server):
    address = server.address.replace("//", "//practice:practice-password@")
    with pytest.raises(MailError, match="offers no encryption"):
        send(address, TO, "practice", "practice")
    assert not any("AUTH" in line for line in server.heard)
