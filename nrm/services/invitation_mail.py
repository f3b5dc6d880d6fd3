"""Sending the link of an invitation by e-mail: it says neither who it is for nor what we are."""

from nrm.audit.actions import Action, Outcome
from nrm.db import unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.services import departures, mail
from nrm.services.invitations import Link


def send(actor: Actor, link: Link, address: str, server: str, words: tuple[str, str]) -> bool:
    """Send a link, in a subject and a text that name no person; says whether it was taken.

    The text has a place for the link's address, which stands in no log of ours.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work() as unit:
        about = Subject("account", link.account_id)
        departure = departures.begin(unit, actor, Action.INVITATION_SEND, about)
    subject, text = words
    try:
        mail.send(server, link.email, subject, text.format(address=address))
    except mail.MailError:
        departures.finish(departure, actor, Outcome.FAILED)
        return False
    departures.finish(departure, actor, Outcome.DONE)
    return True
