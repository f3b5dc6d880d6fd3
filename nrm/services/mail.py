"""Handing over an e-mail: plain text, to one address, no password without encryption."""

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import unquote, urlsplit

_SECONDS = 30
_PORTS = {"smtp": 25, "smtps": 465}


class MailError(Exception):
    """An e-mail was not handed over; the message says why in one line, without its content."""


def send(server: str, to: str, subject: str, text: str) -> None:
    """Hand an e-mail to the server at this address (`smtp://…` or `smtps://…`).

    Raises MailError where it was not taken.
    """
    at = urlsplit(server)
    if at.scheme not in _PORTS or not at.hostname:
        raise MailError("NRM_MAIL is no address such as smtp://mail.example:25")
    message, sender = EmailMessage(), _sender(unquote(at.username or ""), at.hostname)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.now(UTC))
    # Of the sender's domain: by itself it would name this machine.
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message.set_content(text)
    host, port = at.hostname, at.port or _PORTS[at.scheme]
    try:
        with _connected(at.scheme, host, port) as connection:
            if at.scheme == "smtp" and connection.has_extn("starttls"):
                connection.starttls(context=ssl.create_default_context())
                connection.ehlo()
            elif at.scheme == "smtp" and at.username:
                raise MailError("the mail server wants a password and offers no encryption")
            if at.username:
                connection.login(unquote(at.username), unquote(at.password or ""))
            connection.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        # Its class alone: what a server answers can repeat an address.
        raise MailError(f"the mail server did not take it ({type(error).__name__})") from None


def _connected(scheme: str, host: str, port: int) -> smtplib.SMTP:
    if scheme == "smtps":
        context = ssl.create_default_context()
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
    else:
        connection = smtplib.SMTP(host, port, timeout=_SECONDS)
    connection.ehlo()
    return connection


def _sender(username: str, host: str) -> str:
    return username if "@" in username else f"nrm@{host}"
