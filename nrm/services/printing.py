"""Taking a file along on paper: its own act, with the parts that were on it in the log."""

from collections.abc import Mapping

from nrm.audit.actions import Action
from nrm.db import unit_of_work
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.services import casefile, provision, visibility
from nrm.services.audit import record


def of_case(actor: Actor, reference: str, opened: Mapping[str, str]) -> casefile.Overview:
    """Print a case: the parts that were given a reason just now; all others stay closed."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        standing = visibility.case_standing(case)
        require(actor, Permission.CASE_PRINT, standing)
        page = casefile.read(unit, actor, case, opened)
        purpose = " ".join(sorted(set(opened.values())))
        record(unit, actor, Action.CASE_PRINT, standing.subject, purpose=purpose)
        return page


def of_referral(actor: Actor, reference: str) -> provision.Received:
    """Print what an accepted referral opens to its receiver."""
    with unit_of_work() as unit:
        referral = visibility.referral(actor, reference)
        standing = visibility.referral_standing(referral)
        require(actor, Permission.REFERRAL_PRINT, standing)
        page = provision.received(unit, actor, referral)
        record(unit, actor, Action.CASE_PRINT, standing.subject)
        return page
