"""Showing one masked field of one record: its own act, with the field's name in the log.

The value is given to the page that follows and kept nowhere. Every asking is answered anew from how
things stand now: a bar, the end of a referral and consent that was taken back close it at once.
"""

from uuid import UUID

from nrm.audit.actions import Action
from nrm.db import Unit, unit_of_work
from nrm.domain.errors import InvalidInputError, NoConsentError, NotFoundError
from nrm.domain.lifecycle import ReferralState
from nrm.domain.masking import is_masked
from nrm.domain.policy import CaseStanding, ReferralStanding
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import REVEAL_REASON
from nrm.models import Referral
from nrm.services import provision, vault, visibility
from nrm.services.audit import record


def of_case(
    actor: Actor,
    reference: str,
    compartment: str,
    field: str,
    reason: str,
    *,
    form_id: UUID | None = None,
) -> str:
    """Show one field of a case to whoever may open its compartment, and said why."""
    _must_be_masked(compartment, field)
    if reason not in REVEAL_REASON:
        raise InvalidInputError("reason", N_("Choose a reason first."))
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        value = _open(unit, actor, case.id, compartment, field, visibility.case_standing(case))
        subject = visibility.case_subject(case)
        record(unit, actor, Action.FIELD_REVEAL, subject, purpose=reason, fields=[field])
        unit.outcome = case.reference
        return value


def of_referral(
    actor: Actor, reference: str, compartment: str, field: str, *, form_id: UUID | None = None
) -> str:
    """Show one field to the organisation that accepted the person, as far as consent covers it."""
    _must_be_masked(compartment, field)
    with unit_of_work(actor, form_id) as unit:
        referral = visibility.referral(actor, reference)
        discloses: frozenset[str] = frozenset()
        if referral.state is ReferralState.ACCEPTED:
            envelopes = vault.open_envelopes(
                unit, actor, {referral.id: visibility.referral_standing(referral)}
            )
            discloses = provision.disclosed(unit, referral, envelopes[referral.id])
            if compartment not in discloses:
                raise _not_agreed(referral, compartment)
        standing = visibility.referral_standing(referral, consented=compartment in discloses)
        value = _open(unit, actor, referral.case_id, compartment, field, standing)
        record(unit, actor, Action.FIELD_REVEAL, standing.subject, fields=[field])
        unit.outcome = referral.reference
        return value


def _must_be_masked(compartment: str, field: str) -> None:
    """Find nothing where there is nothing to show: no other field can be asked for by itself."""
    if not is_masked(compartment, field):
        raise NotFoundError


def _not_agreed(referral: Referral, compartment: str) -> NoConsentError:
    return NoConsentError(
        N_("What the person agreed to does not cover this, or does not any more."),
        vault.PERMISSION[compartment].value,
        visibility.referral_subject(referral),
    )


def _open(
    unit: Unit,
    actor: Actor,
    case_id: UUID,
    compartment: str,
    field: str,
    standing: CaseStanding | ReferralStanding,
) -> str:
    """Open the field's compartment, which asks the policy first; of it, one field is given on."""
    document = vault.open_compartments(unit, actor, case_id, {compartment: standing})[compartment]
    return str(document.get(field) or "")
