"""Who may do what: roles, permissions, relations, and the one grant table."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from nrm.domain.text import N_


class Role(StrEnum):
    """The one part that an account plays in the mechanism."""

    FIRST_RESPONDER = "first_responder"
    COORDINATOR = "coordinator"
    DECISION_MAKER = "decision_maker"
    PROVIDER = "provider"
    DIRECTORY_MANAGER = "directory_manager"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    ORGANISATION_ADMINISTRATOR = "organisation_administrator"
    # Housekeeping acts too, and its acts are logged; no account may hold this role.
    SYSTEM = "system"


ROLE_LABEL: dict[Role, str] = {
    Role.FIRST_RESPONDER: N_("First responder"),
    Role.COORDINATOR: N_("Coordinator"),
    Role.DECISION_MAKER: N_("Decision maker"),
    Role.PROVIDER: N_("Service provider"),
    Role.DIRECTORY_MANAGER: N_("Directory manager"),
    Role.ANALYST: N_("Analyst"),
    Role.AUDITOR: N_("Auditor"),
    Role.ADMINISTRATOR: N_("Administrator"),
    Role.ORGANISATION_ADMINISTRATOR: N_("Organisation administrator"),
    Role.SYSTEM: N_("Housekeeping"),
}

HUMAN_ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
# Given and looked after by the national administrator alone, in whatever organisation.
APPOINTED = frozenset({Role.AUDITOR, Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR})


class Permission(StrEnum):
    """What can be permitted, as `<scope>:<action>`, in alphabetical order."""

    ABSENCE_SET = "absence:set"
    ACCOUNT_MANAGE = "account:manage"
    APPROVAL_ANSWER = "approval:answer"
    APPROVAL_ASK = "approval:ask"
    APPROVAL_LAPSE = "approval:lapse"
    APPROVAL_VIEW = "approval:view"
    AUDIT_EXPORT = "audit:export"
    AUDIT_SEARCH = "audit:search"
    BAR_PLACE = "bar:place"
    CASE_ASSIGN = "case:assign"
    CASE_CLOSE = "case:close"
    CASE_COMPARE = "case:compare"
    CASE_EXPORT = "case:export"
    CASE_FLAG = "case:flag"
    CASE_HISTORY = "case:history"
    CASE_MERGE = "case:merge"
    CASE_PRESUME = "case:presume"
    CASE_PRINT = "case:print"
    CASE_VIEW = "case:view"
    COMPARTMENT_CONTACT = "compartment:contact"
    COMPARTMENT_ENFORCEMENT = "compartment:enforcement"
    COMPARTMENT_FACTS = "compartment:facts"
    COMPARTMENT_HEALTH = "compartment:health"
    COMPARTMENT_IDENTITY = "compartment:identity"
    COMPARTMENT_NARRATIVE = "compartment:narrative"
    CONSENT_RECORD = "consent:record"
    DECISION_VIEW = "decision:view"
    DIRECTORY_VIEW = "directory:view"
    DOCUMENT_ADD = "document:add"
    DOCUMENT_OPEN = "document:open"
    DOCUMENT_REMOVE = "document:remove"
    DRAFT_ASSIGN = "draft:assign"
    DRAFT_TAKE = "draft:take"
    ENVELOPE_OPEN = "envelope:open"
    ERASURE_ANSWER = "erasure:answer"
    ERASURE_ASK = "erasure:ask"
    ERASURE_VIEW = "erasure:view"
    EXPORT_APPROVE = "export:approve"
    FLAG_VIEW = "flag:view"
    GLASS_BREAK = "glass:break"
    GLASS_REVIEW = "glass:review"
    HANDOVER_ANSWER = "handover:answer"
    HANDOVER_RETRACT = "handover:retract"
    LISTING_APPROVE = "listing:approve"
    LISTING_SUBMIT = "listing:submit"
    LISTING_SUSPEND = "listing:suspend"
    MERGE_APPROVE = "merge:approve"
    NEEDS_RECORD = "needs:record"
    ORGANISATION_MANAGE = "organisation:manage"
    PERSON_SEARCH = "person:search"
    REFERRAL_ANSWER = "referral:answer"
    REFERRAL_END = "referral:end"
    REFERRAL_EXPIRE = "referral:expire"
    REFERRAL_PRINT = "referral:print"
    REFERRAL_SEND = "referral:send"
    REFERRAL_VIEW = "referral:view"
    REFERRAL_WITHDRAW = "referral:withdraw"
    ROLE_APPROVE = "role:approve"
    ROLE_VIEW = "role:view"
    SERVICE_RECORD = "service:record"
    STATISTICS_ASK = "statistics:ask"
    STATISTICS_COUNT = "statistics:count"
    STATISTICS_EXPORT = "statistics:export"
    STATISTICS_SIGN = "statistics:sign"
    STATISTICS_VIEW = "statistics:view"
    WORK_VIEW = "work:view"


class Relation(StrEnum):
    """How an actor stands to the record; a grant names the relations that it needs."""

    # The act is not about a record of its own yet.
    NO_RECORD = "no record"
    # The actor flagged this person.
    OWN_FLAG = "own flag"
    # The case is in the national coordination unit's care, as every flagged case is.
    NATIONAL = "national"
    # The case is the actor's to look after, as its owner or standing in for them; or nobody's yet.
    ASSIGNED = "assigned"
    # The actor broke the glass of this case less than an hour ago, with a reason that is reviewed.
    BROKEN_GLASS = "broken glass"
    # The referral was sent to the actor's organisation, whatever became of it.
    RECEIVER = "receiver"
    # ... and it is waiting for an answer, or accepted and not ended.
    LIVE_RECEIVER = "live receiver"
    # ... and the actor's organisation accepted it, and it has not ended.
    ACCEPTED = "accepted"
    # ... and what the person agreed to covers the compartment in question.
    CONSENTED = "consented"
    # Another person submitted this listing.
    OTHERS_LISTING = "another's listing"
    ANY_LISTING = "any listing"
    # Another person asked for this erasure: nobody carries out their own request.
    OTHERS_ERASURE = "another's erasure"
    OWN_ERASURE = "own erasure"
    # Another person asked for what takes two people, and it is not about the actor either.
    OTHERS_APPROVAL = "another's request for approval"
    OWN_APPROVAL = "own request for approval"
    # The case was offered to the actor, who works for another organisation than who offers it.
    OFFERED_TO_ONESELF = "offered to oneself"
    # The actor offered it, or looks after the case that was offered.
    OWN_OFFER = "own offer"
    # The actor has not signed this release of the statistics yet: two different people do.
    UNSIGNED_RELEASE = "release not signed by oneself"
    # Another person opened a case in an emergency: nobody reviews their own.
    OTHERS_GLASS = "another's emergency"
    # The account is a colleague's, and of no appointed role: nobody manages their own.
    COLLEAGUE = "colleague"
    OTHERS_ACCOUNT = "another's account"


Grants: TypeAlias = dict[Role, dict[Permission, frozenset[Relation]]]

_ALONE = frozenset({Relation.NO_RECORD})
_NATIONAL = frozenset({Relation.NATIONAL})
_CONSENTED = frozenset({Relation.CONSENTED})
_BROKEN_GLASS = frozenset({Relation.BROKEN_GLASS})
# Asking for what takes two people, and taking one's own request back; answering another's.
_ASKS_FOR_APPROVAL = frozenset({Relation.NO_RECORD, Relation.OWN_APPROVAL})
_SECOND_PERSON = frozenset({Relation.OTHERS_APPROVAL})

# The one grant table. Whatever is not written here is refused.
GRANTS: Grants = {
    Role.FIRST_RESPONDER: {
        Permission.WORK_VIEW: _ALONE,
        Permission.CASE_FLAG: _ALONE,
        Permission.FLAG_VIEW: frozenset({Relation.OWN_FLAG}),
        # A draft that a colleague left behind is a person whom nobody has flagged yet.
        Permission.DRAFT_TAKE: _ALONE,
        # At night, before anybody answers: whoever flagged the person can open who it is.
        Permission.GLASS_BREAK: frozenset({Relation.OWN_FLAG}),
        Permission.COMPARTMENT_IDENTITY: _BROKEN_GLASS,
        Permission.COMPARTMENT_CONTACT: _BROKEN_GLASS,
    },
    Role.COORDINATOR: {
        Permission.WORK_VIEW: _ALONE,
        Permission.CASE_VIEW: _NATIONAL,
        Permission.CASE_ASSIGN: _NATIONAL,
        Permission.CASE_PRESUME: _NATIONAL,
        Permission.CASE_CLOSE: _NATIONAL,
        Permission.CASE_COMPARE: _NATIONAL,
        Permission.CASE_HISTORY: _NATIONAL,
        Permission.CASE_PRINT: _NATIONAL,
        Permission.CONSENT_RECORD: _NATIONAL,
        Permission.NEEDS_RECORD: _NATIONAL,
        Permission.REFERRAL_SEND: _NATIONAL,
        Permission.REFERRAL_WITHDRAW: _NATIONAL,
        Permission.COMPARTMENT_IDENTITY: _NATIONAL,
        Permission.COMPARTMENT_CONTACT: _NATIONAL,
        Permission.COMPARTMENT_NARRATIVE: _NATIONAL,
        # The unit works as one; what a doctor knows is for whoever looks after the person.
        Permission.COMPARTMENT_HEALTH: frozenset({Relation.ASSIGNED, Relation.BROKEN_GLASS}),
        Permission.COMPARTMENT_FACTS: _NATIONAL,
        Permission.HANDOVER_ANSWER: frozenset({Relation.OFFERED_TO_ONESELF}),
        Permission.HANDOVER_RETRACT: frozenset({Relation.OWN_OFFER}),
        Permission.ABSENCE_SET: _ALONE,
        # Without reading it: who wrote it has gone, and somebody has to flag the person.
        Permission.DRAFT_ASSIGN: _ALONE,
        # The police and prosecution part opens to the coordinator in an emergency alone.
        Permission.GLASS_BREAK: _NATIONAL,
        # Whoever owns the case says who may not know of it.
        Permission.BAR_PLACE: _NATIONAL,
        Permission.COMPARTMENT_ENFORCEMENT: _BROKEN_GLASS,
        Permission.PERSON_SEARCH: _ALONE,
        Permission.DOCUMENT_ADD: _NATIONAL,
        Permission.DOCUMENT_OPEN: _NATIONAL,
        Permission.DOCUMENT_REMOVE: _NATIONAL,
        Permission.ERASURE_ASK: frozenset({Relation.NATIONAL, Relation.OWN_ERASURE}),
        Permission.ERASURE_VIEW: _ALONE,
        Permission.ERASURE_ANSWER: frozenset({Relation.OTHERS_ERASURE}),
        Permission.DIRECTORY_VIEW: frozenset({Relation.NO_RECORD, Relation.ANY_LISTING}),
        # Whether two files are one person's, another coordinator looks at as well.
        Permission.CASE_MERGE: _NATIONAL,
        Permission.MERGE_APPROVE: _SECOND_PERSON,
        # Many people in one file: the protection officer, who has no use for it, is the second.
        Permission.CASE_EXPORT: frozenset({Relation.NO_RECORD, Relation.NATIONAL}),
        Permission.APPROVAL_VIEW: _ALONE,
        Permission.APPROVAL_ASK: _ASKS_FOR_APPROVAL,
        Permission.APPROVAL_ANSWER: _SECOND_PERSON,
    },
    Role.DECISION_MAKER: {
        Permission.WORK_VIEW: _ALONE,
        Permission.DECISION_VIEW: _ALONE,
    },
    Role.PROVIDER: {
        Permission.WORK_VIEW: _ALONE,
        Permission.REFERRAL_VIEW: frozenset({Relation.RECEIVER}),
        Permission.ENVELOPE_OPEN: frozenset({Relation.LIVE_RECEIVER}),
        Permission.REFERRAL_ANSWER: frozenset({Relation.RECEIVER}),
        Permission.REFERRAL_END: frozenset({Relation.RECEIVER}),
        Permission.SERVICE_RECORD: frozenset({Relation.ACCEPTED}),
        Permission.REFERRAL_PRINT: frozenset({Relation.ACCEPTED}),
        Permission.COMPARTMENT_IDENTITY: frozenset({Relation.CONSENTED, Relation.BROKEN_GLASS}),
        Permission.COMPARTMENT_CONTACT: frozenset({Relation.CONSENTED, Relation.BROKEN_GLASS}),
        Permission.COMPARTMENT_NARRATIVE: _CONSENTED,
        Permission.COMPARTMENT_HEALTH: _CONSENTED,
        # The person may stand at the door again after the referral has ended.
        Permission.GLASS_BREAK: frozenset({Relation.RECEIVER}),
    },
    Role.DIRECTORY_MANAGER: {
        Permission.WORK_VIEW: _ALONE,
        Permission.DIRECTORY_VIEW: frozenset({Relation.NO_RECORD, Relation.ANY_LISTING}),
        Permission.LISTING_SUBMIT: _ALONE,
        Permission.LISTING_APPROVE: frozenset({Relation.OTHERS_LISTING}),
        Permission.LISTING_SUSPEND: frozenset({Relation.ANY_LISTING}),
    },
    Role.ANALYST: {
        Permission.WORK_VIEW: _ALONE,
        Permission.STATISTICS_VIEW: _ALONE,
        Permission.STATISTICS_ASK: _ALONE,
        Permission.STATISTICS_EXPORT: _ALONE,
        Permission.STATISTICS_SIGN: frozenset({Relation.UNSIGNED_RELEASE}),
    },
    Role.AUDITOR: {
        Permission.WORK_VIEW: _ALONE,
        Permission.AUDIT_SEARCH: _ALONE,
        Permission.AUDIT_EXPORT: _ALONE,
        Permission.ROLE_VIEW: _ALONE,
        # The protection officer can be the second person without opening the file.
        Permission.ERASURE_VIEW: _ALONE,
        Permission.ERASURE_ANSWER: frozenset({Relation.OTHERS_ERASURE}),
        Permission.EXPORT_APPROVE: _SECOND_PERSON,
        # Where there is one administrator only, somebody must still be the second person.
        Permission.ROLE_APPROVE: _SECOND_PERSON,
        Permission.APPROVAL_VIEW: _ALONE,
        Permission.APPROVAL_ANSWER: _SECOND_PERSON,
        # What was opened in an emergency is looked at afterwards: the reason, never the file.
        Permission.GLASS_REVIEW: frozenset({Relation.NO_RECORD, Relation.OTHERS_GLASS}),
    },
    Role.ADMINISTRATOR: {
        Permission.WORK_VIEW: _ALONE,
        Permission.ACCOUNT_MANAGE: frozenset({Relation.NO_RECORD, Relation.OTHERS_ACCOUNT}),
        Permission.ORGANISATION_MANAGE: _ALONE,
        Permission.ROLE_VIEW: _ALONE,
        Permission.ROLE_APPROVE: _SECOND_PERSON,
        Permission.APPROVAL_VIEW: _ALONE,
        Permission.APPROVAL_ASK: _ASKS_FOR_APPROVAL,
        Permission.APPROVAL_ANSWER: _SECOND_PERSON,
    },
    Role.ORGANISATION_ADMINISTRATOR: {
        Permission.WORK_VIEW: _ALONE,
        Permission.ACCOUNT_MANAGE: frozenset({Relation.NO_RECORD, Relation.COLLEAGUE}),
        Permission.APPROVAL_VIEW: _ALONE,
        Permission.APPROVAL_ASK: _ASKS_FOR_APPROVAL,
    },
    Role.SYSTEM: {
        Permission.REFERRAL_EXPIRE: _NATIONAL,
        Permission.APPROVAL_LAPSE: _SECOND_PERSON,
        # It looks whether a flagged person is known already, and tells the coordinator alone.
        Permission.CASE_COMPARE: _NATIONAL,
        # It makes the search tokens anew, which takes names and telephone numbers.
        Permission.COMPARTMENT_CONTACT: _NATIONAL,
        Permission.COMPARTMENT_IDENTITY: _NATIONAL,
        # The statistics' process counts the coded facts of everybody, and opens nothing else.
        Permission.STATISTICS_ASK: _ALONE,
        Permission.STATISTICS_COUNT: _ALONE,
        Permission.STATISTICS_VIEW: _ALONE,
    },
}


@dataclass(frozen=True)
class Actor:
    """Whoever acts: an account in its one role, or housekeeping (no id)."""

    id: UUID | None
    organisation_id: UUID | None
    role: Role
    # A keyed hash of the session, so that the log can tell two sittings apart without naming one.
    session_ref: str = ""


HOUSEKEEPING = Actor(id=None, organisation_id=None, role=Role.SYSTEM)
