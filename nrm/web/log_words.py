"""The log in words: acts, reasons, parts and the permissions that were lacking."""

import re

from nrm.audit.actions import Outcome
from nrm.domain import vocabulary
from nrm.domain.approval import RULES, ApprovalKind
from nrm.domain.roles import Permission
from nrm.services.departures import UNKNOWN
from nrm.web.text import _, _l

OUTCOME_LABEL = {
    Outcome.DONE: _l("Done"),
    Outcome.BEGUN: _l("Begun"),
    Outcome.REFUSED: _l("Refused"),
    Outcome.NOT_FOUND: _l("Not found, or hidden"),
    Outcome.FAILED: _l("Failed"),
}
# What an entry may be about, beside a case and a referral, which have references.
SUBJECT_LABEL = {
    "account": _l("Account"),
    "approval": _l("Request for a second person’s approval"),
    "case": _l("Case"),
    "checkpoint": _l("Checkpoint of the log"),
    "document": _l("Document"),
    "draft": _l("Draft"),
    "entry": _l("Log entry"),
    "erasure": _l("Erasure"),
    "export": _l("Export of many files"),
    "handover": _l("Hand-over of a case"),
    "factor": _l("Second factor"),
    "key": _l("Key"),
    "listing": _l("Listing"),
    "none": _l("Nothing of its own"),
    "organisation": _l("Organisation"),
    "owner": _l("Whoever looks after a case"),
    "referral": _l("Referral"),
}
# What was lacking where something was refused: what the account would have had to be allowed.
PERMISSION_LABEL = {
    Permission.ACCOUNT_MANAGE: _l("look after accounts"),
    Permission.APPROVAL_ANSWER: _l("approve what another person asked for"),
    Permission.APPROVAL_ASK: _l("ask for a second person’s approval"),
    Permission.APPROVAL_LAPSE: _l("let a request for approval lapse"),
    Permission.APPROVAL_VIEW: _l("see requests for approval"),
    Permission.ABSENCE_SET: _l("say when they are away"),
    Permission.ACCOUNT_MANAGE: _l("keep accounts and organisations"),
    Permission.AUDIT_EXPORT: _l("take entries out of the log"),
    Permission.AUDIT_SEARCH: _l("read the log"),
    Permission.BAR_PLACE: _l("say who is kept out of a case"),
    Permission.CASE_ASSIGN: _l("say who looks after a case"),
    Permission.CASE_CLOSE: _l("close a case"),
    Permission.CASE_COMPARE: _l("look whether a person is known already"),
    Permission.CASE_EXPORT: _l("ask for an export of many files"),
    Permission.CASE_FLAG: _l("flag a person"),
    Permission.CASE_HISTORY: _l("see who has opened a case"),
    Permission.CASE_MERGE: _l("ask for two files to be made one"),
    Permission.CASE_PRESUME: _l("record a presumption"),
    Permission.CASE_PRINT: _l("print a file"),
    Permission.CASE_VIEW: _l("open case files"),
    Permission.COMPARTMENT_CONTACT: _l("read how a person is reached"),
    Permission.COMPARTMENT_ENFORCEMENT: _l("read the part for police and prosecution"),
    Permission.COMPARTMENT_FACTS: _l("read the coded facts of a case"),
    Permission.COMPARTMENT_HEALTH: _l("read the part on health"),
    Permission.COMPARTMENT_IDENTITY: _l("read who a person is"),
    Permission.COMPARTMENT_NARRATIVE: _l("read what a person told"),
    Permission.CONSENT_RECORD: _l("record consent"),
    Permission.DECISION_VIEW: _l("see decisions"),
    Permission.DIRECTORY_VIEW: _l("read the directory"),
    Permission.DOCUMENT_ADD: _l("add a document"),
    Permission.DOCUMENT_OPEN: _l("open documents"),
    Permission.DOCUMENT_REMOVE: _l("remove a document"),
    Permission.DRAFT_ASSIGN: _l("give a draft that was left behind to somebody"),
    Permission.DRAFT_TAKE: _l("take over a draft that was left behind"),
    Permission.ENVELOPE_OPEN: _l("open the envelope of a referral"),
    Permission.ERASURE_ANSWER: _l("answer a request to erase"),
    Permission.ERASURE_ASK: _l("ask for an erasure"),
    Permission.ERASURE_VIEW: _l("see erasures"),
    Permission.EXPORT_APPROVE: _l("approve an export of many files"),
    Permission.FLAG_VIEW: _l("see a flag"),
    Permission.GLASS_BREAK: _l("open a case in an emergency"),
    Permission.GLASS_REVIEW: _l("review an emergency access"),
    Permission.HANDOVER_ANSWER: _l("answer an offer of a case"),
    Permission.HANDOVER_RETRACT: _l("take an offer of a case back"),
    Permission.LISTING_APPROVE: _l("approve a listing"),
    Permission.LISTING_SUBMIT: _l("submit a listing"),
    Permission.LISTING_SUSPEND: _l("suspend a listing"),
    Permission.MERGE_APPROVE: _l("approve that two files are made one"),
    Permission.NEEDS_RECORD: _l("record needs"),
    Permission.ORGANISATION_MANAGE: _l("keep the organisations"),
    Permission.PERSON_SEARCH: _l("search for people"),
    Permission.REFERRAL_ANSWER: _l("answer a referral"),
    Permission.REFERRAL_END: _l("end a referral"),
    Permission.REFERRAL_EXPIRE: _l("take back a referral that nobody answered"),
    Permission.REFERRAL_PRINT: _l("print what a referral opens"),
    Permission.REFERRAL_SEND: _l("send a referral"),
    Permission.REFERRAL_VIEW: _l("see a referral"),
    Permission.REFERRAL_WITHDRAW: _l("withdraw a referral"),
    Permission.ROLE_APPROVE: _l("approve that somebody gets another role"),
    Permission.ROLE_VIEW: _l("read what every role can see and do"),
    Permission.SERVICE_RECORD: _l("record a service"),
    Permission.STATISTICS_ASK: _l("ask for a release of the statistics"),
    Permission.STATISTICS_COUNT: _l("count a release of the statistics"),
    Permission.STATISTICS_EXPORT: _l("take statistics out as a file"),
    Permission.STATISTICS_SIGN: _l("sign a release of the statistics"),
    Permission.STATISTICS_VIEW: _l("see the statistics"),
    Permission.WORK_VIEW: _l("see their own work"),
}
# Sealed rows that are not parts of a file.
_OTHER_PARTS = {
    "draft": _l("Draft"),
    "envelope": _l("Envelope of a referral"),
    "facts_event": _l("Coded fact for the statistics"),
    "consent": _l("How consent was given"),
    "service": _l("Answers and services of a provider"),
    "comparison": _l("Whether the person is known already"),
    "access": _l("Why somebody was kept out"),
    "emergency": _l("Why a case was opened in an emergency"),
}
# The reasons that an act can carry, and the pages and lists that were read.
_REASONS = (
    vocabulary.ASSIGN_REASON,
    vocabulary.DRAFT_TAKE_REASON,
    vocabulary.REVEAL_REASON,
    vocabulary.CONSENT_EXCEPTION,
    vocabulary.CONSENT_PURPOSE,
    vocabulary.DISABLING,
    vocabulary.ERASURE_REASON,
    vocabulary.APPROVAL_REFUSAL,
    vocabulary.BAR_REASON,
    vocabulary.LIFT_REASON,
    vocabulary.GLASS_REASON,
    vocabulary.GLASS_VERDICT,
)
_PLACES = {
    "account": _l("What an account saw in a time"),
    "all": _l("All open cases"),
    "app": _l("Code of an app"),
    "assisted": _l("Assisted"),
    "break_glass": _l("In an emergency"),
    "code": _l("Wrong code"),
    "code-clock": _l("Code of another time: the clock of the telephone is wrong"),
    "code-used": _l("Code that was used already"),
    "comparison": _l("Whether the person is known already"),
    "consent": _l("Consent"),
    "disabled": _l("The account is disabled"),
    "ended": _l("Used already, or replaced by a newer one"),
    "expired": _l("Too old"),
    "federated": _l("Sign-in of another institution"),
    "federated-disabled": _l("Sign-in of another institution: the account is disabled"),
    "federated-issuer": _l("Sign-in of another institution: it was another one that answered"),
    "federated-late": _l("Sign-in of another institution: too late"),
    "federated-not-anew": _l("Sign-in of another institution: it did not ask anew who it is"),
    "federated-provider": _l("Sign-in of another institution: it does not describe itself rightly"),
    "federated-refused": _l("Sign-in of another institution: not finished there"),
    "federated-state": _l("Sign-in of another institution: an answer to another question"),
    "federated-subject": _l("Sign-in of another institution: it did not say who it is"),
    "federated-token": _l("Sign-in of another institution: a false or broken answer"),
    "federated-unknown": _l("Sign-in of another institution: connected with nobody here"),
    "file": _l("Who has seen a file"),
    "find": _l("Found by its reference"),
    "incoming": _l("New flags"),
    "mine": _l("Cases that they look after"),
    "needs": _l("Cases that need a provider"),
    "nobodys": _l("Cases that nobody looks after"),
    "owner": _l("Who looks after the case"),
    "passkey": _l("Passkey"),
    "passkey-count": _l("Passkey that may have been copied"),
    "password": _l("Password"),
    "recovery": _l("Recovery code"),
    "recovery-used": _l("Recovery code that was used already"),
    "referrals": _l("Help and referrals"),
    "referred": _l("Referred cases"),
    "search": _l("Found by name or number"),
    "signs": _l("Signs worth a look"),
    "state": _l("State of the log"),
    UNKNOWN: _l("It is not known whether it left"),
}

# What was searched for, as a keyed hash: the same again is the same search again.
_FINGERPRINT, _SHOWN = re.compile(r"[0-9a-f]{64}"), 16
# A page by the name of its route, where somebody looked for what is not there or not theirs.
_PAGE = re.compile(r"[a-z_]+\.[a-z_]+")


def part_words(code: str) -> str:
    """Say which sealed part was touched."""
    if code in vocabulary.COMPARTMENT:
        return _(vocabulary.COMPARTMENT.label(code))
    return str(_OTHER_PARTS.get(code, code))


def why_words(code: str) -> str:
    """Say a reason in words: why it was done, where, or what was not allowed."""
    if code in list(ApprovalKind):
        return _(RULES[ApprovalKind(code)].label)
    if code in PERMISSION_LABEL:
        return _("not permitted to %(act)s", act=PERMISSION_LABEL[Permission(code)])
    for reasons in _REASONS:
        if code in reasons:
            return _(reasons.label(code))
    if _FINGERPRINT.fullmatch(code):
        return _("what was typed has the fingerprint %(digits)s", digits=code[:_SHOWN])
    if _PAGE.fullmatch(code):
        return _("asked for on the page %(page)s", page=code)
    return str(_PLACES.get(code, code))
