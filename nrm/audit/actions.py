"""Every act and every read that the log knows, as `<subject>:<act>`."""

from enum import StrEnum

from nrm.domain.text import N_


class Action(StrEnum):
    """What happened, in alphabetical order."""

    ACCESS_REFUSED = "access:refused"
    ACCOUNT_ACTIVATE = "account:activate"
    ACCOUNT_AWAY = "account:away"
    ACCOUNT_BACK = "account:back"
    ACCOUNT_CHANGE_PASSWORD = "account:change-password"  # noqa: S105 - the name of an act
    ACCOUNT_CREATE = "account:create"
    ACCOUNT_DISABLE = "account:disable"
    ACCOUNT_ENABLE = "account:enable"
    ACCOUNT_INVITE = "account:invite"
    ACCOUNT_LIST = "account:list"
    ACCOUNT_RESET = "account:reset"
    ACCOUNT_ROLE = "account:role"
    APPROVAL_ASK = "approval:ask"
    APPROVAL_CANCEL = "approval:cancel"
    APPROVAL_CONFIRM = "approval:confirm"
    APPROVAL_LAPSE = "approval:lapse"
    APPROVAL_LIST = "approval:list"
    APPROVAL_REJECT = "approval:reject"
    AUDIT_EXPORT = "audit:export"
    AUDIT_SEARCH = "audit:search"
    BAR_LIFT = "bar:lift"
    BAR_LIST = "bar:list"
    BAR_PLACE = "bar:place"
    CASE_ASSIGN = "case:assign"
    CASE_CLOSE = "case:close"
    CASE_COMPARE = "case:compare"
    CASE_ERASE = "case:erase"
    CASE_FLAG = "case:flag"
    CASE_HISTORY = "case:history"
    CASE_LEAVE = "case:leave"
    CASE_LIST = "case:list"
    CASE_OPEN = "case:open"
    CASE_PRESUME = "case:presume"
    CASE_PRINT = "case:print"
    CASE_REKEY = "case:rekey"
    CHECKPOINT_SEND = "checkpoint:send"
    COMPARTMENT_OPEN = "compartment:open"
    CONSENT_EXCEPTION = "consent:exception"
    CONSENT_RECORD = "consent:record"
    DATABASE_ROLES = "database:roles"
    DEMONSTRATION_LOAD = "demonstration:load"
    DIRECTORY_LOAD = "directory:load"
    DOCUMENT_ADD = "document:add"
    DOCUMENT_LIST = "document:list"
    DOCUMENT_OPEN = "document:open"
    DOCUMENT_REMOVE = "document:remove"
    DRAFT_ASSIGN = "draft:assign"
    DRAFT_DELETE = "draft:delete"
    DRAFT_LIST = "draft:list"
    DRAFT_OPEN = "draft:open"
    DRAFT_SAVE = "draft:save"
    DRAFT_TAKE = "draft:take"
    ERASURE_ASK = "erasure:ask"
    ERASURE_LIST = "erasure:list"
    ERASURE_REFUSE = "erasure:refuse"
    ERASURE_REPLAY = "erasure:replay"
    ERASURE_TAKE_BACK = "erasure:take-back"
    EXPLOITATION_RECORD = "exploitation:record"
    FACTOR_ADD = "factor:add"
    FACTOR_DOUBT = "factor:doubt"
    FACTOR_LIST = "factor:list"
    FACTOR_REMOVE = "factor:remove"
    FACTOR_RESET = "factor:reset"
    FEDERATION_CONNECT = "federation:connect"
    FEDERATION_DISCONNECT = "federation:disconnect"
    FIELD_REVEAL = "field:reveal"
    FLAG_LIST = "flag:list"
    FLAG_VIEW = "flag:view"
    GLASS_BREAK = "glass:break"
    GLASS_ESCALATE = "glass:escalate"
    GLASS_OPEN = "glass:open"
    GLASS_REVIEW = "glass:review"
    HANDOVER_DECLINE = "handover:decline"
    HANDOVER_LIST = "handover:list"
    HANDOVER_OFFER = "handover:offer"
    HANDOVER_RETRACT = "handover:retract"
    HANDOVER_TAKE = "handover:take"
    INDEX_BUILD = "index:build"
    INDEX_RENEW = "index:renew"
    INDEX_SWITCH = "index:switch"
    INVITATION_FAIL = "invitation:fail"
    INVITATION_SEND = "invitation:send"
    KEY_CREATE = "key:create"
    KEY_DRILL = "key:drill"
    KEY_RECOVER = "key:recover"
    KEY_RETIRE = "key:retire"
    KEY_REWRAP = "key:rewrap"
    KEY_ROTATE = "key:rotate"
    KEY_SHARE = "key:share"
    LISTING_APPROVE = "listing:approve"
    LISTING_SUBMIT = "listing:submit"
    LISTING_SUSPEND = "listing:suspend"
    NEEDS_RECORD = "needs:record"
    NOTICE_LIST = "notice:list"
    NOTICE_SEE = "notice:see"
    ORGANISATION_CHANGE = "organisation:change"
    ORGANISATION_CREATE = "organisation:create"
    PERSON_SEARCH = "person:search"
    RECOVERY_MAKE = "recovery:make"
    RECOVERY_USE = "recovery:use"
    REFERRAL_ACCEPT = "referral:accept"
    REFERRAL_DECLINE = "referral:decline"
    REFERRAL_END = "referral:end"
    REFERRAL_EXPIRE = "referral:expire"
    REFERRAL_LIST = "referral:list"
    REFERRAL_OPEN = "referral:open"
    REFERRAL_PREPARE = "referral:prepare"
    REFERRAL_SEND = "referral:send"
    REFERRAL_WITHDRAW = "referral:withdraw"
    SERVICE_RECORD = "service:record"
    SESSION_BEGIN = "session:begin"
    SESSION_CONFIRM = "session:confirm"
    SESSION_END = "session:end"
    SESSION_FAIL = "session:fail"
    SESSION_HISTORY = "session:history"
    SESSION_LIST = "session:list"
    SESSION_SIGN_IN = "session:sign-in"
    SESSION_SIGN_OUT = "session:sign-out"
    STATISTICS_ASK = "statistics:ask"
    STATISTICS_COUNT = "statistics:count"
    STATISTICS_EXPORT = "statistics:export"
    STATISTICS_FREEZE = "statistics:freeze"
    STATISTICS_SIGN = "statistics:sign"
    STATISTICS_VIEW = "statistics:view"
    WITNESS_ADD = "witness:add"
    WITNESS_COSIGN = "witness:cosign"


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    # An act that leaves the database is written before it does, and again when it is over.
    BEGUN = "begun"
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    FAILED = "failed"


ACTION_LABEL: dict[Action, str] = {
    Action.ACCESS_REFUSED: N_("Access refused"),
    Action.ACCOUNT_ACTIVATE: N_("Account activated"),
    Action.ACCOUNT_AWAY: N_("Away, and somebody stands in"),
    Action.ACCOUNT_BACK: N_("Back again"),
    Action.ACCOUNT_CHANGE_PASSWORD: N_("Password changed"),
    Action.ACCOUNT_CREATE: N_("Account created"),
    Action.ACCOUNT_DISABLE: N_("Account disabled"),
    Action.ACCOUNT_ENABLE: N_("Account enabled again"),
    Action.ACCOUNT_INVITE: N_("New link made to choose a password"),
    Action.ACCOUNT_LIST: N_("List of people read"),
    Action.ACCOUNT_RESET: N_("Second factor reset"),
    Action.ACCOUNT_ROLE: N_("Role changed"),
    Action.APPROVAL_ASK: N_("A second person’s approval asked for"),
    Action.APPROVAL_CANCEL: N_("Request for approval taken back"),
    Action.APPROVAL_CONFIRM: N_("Approved by a second person, and done"),
    Action.APPROVAL_LAPSE: N_("Request for approval not answered in time"),
    Action.APPROVAL_LIST: N_("Requests for approval read"),
    Action.APPROVAL_REJECT: N_("Not approved by a second person"),
    Action.AUDIT_EXPORT: N_("Entries of the log taken out"),
    Action.AUDIT_SEARCH: N_("Audit log searched"),
    Action.BAR_LIFT: N_("Bar on a case lifted"),
    Action.BAR_LIST: N_("Read who is kept out of a case"),
    Action.BAR_PLACE: N_("Somebody kept out of a case"),
    Action.CASE_ASSIGN: N_("Case assigned"),
    Action.CASE_CLOSE: N_("Case closed"),
    Action.CASE_COMPARE: N_("Looked whether the person is known already"),
    Action.CASE_ERASE: N_("Case erased"),
    Action.CASE_FLAG: N_("Person flagged"),
    Action.CASE_HISTORY: N_("Access history of a case read"),
    Action.CASE_LEAVE: N_("Case left by a leaver"),
    Action.CASE_LIST: N_("List of cases read"),
    Action.CASE_OPEN: N_("Case file opened"),
    Action.CASE_PRESUME: N_("Presumption recorded"),
    Action.CASE_PRINT: N_("File printed"),
    Action.CASE_REKEY: N_("Case sealed anew under new keys"),
    Action.CHECKPOINT_SEND: N_("Checkpoint of the log sent"),
    Action.COMPARTMENT_OPEN: N_("Closed fields opened"),
    Action.CONSENT_EXCEPTION: N_("Disclosure allowed by a legal exception"),
    Action.CONSENT_RECORD: N_("Consent recorded"),
    Action.DATABASE_ROLES: N_("Roles of the database set"),
    Action.DEMONSTRATION_LOAD: N_("Practice case of the past loaded"),
    Action.DIRECTORY_LOAD: N_("Directory loaded"),
    Action.DOCUMENT_ADD: N_("Document added"),
    Action.DOCUMENT_LIST: N_("List of documents read"),
    Action.DOCUMENT_OPEN: N_("Document opened"),
    Action.DOCUMENT_REMOVE: N_("Document removed"),
    Action.DRAFT_ASSIGN: N_("Draft of a leaver given to somebody"),
    Action.DRAFT_DELETE: N_("Draft deleted"),
    Action.DRAFT_LIST: N_("List of drafts left behind read"),
    Action.DRAFT_OPEN: N_("Draft opened"),
    Action.DRAFT_SAVE: N_("Draft saved"),
    Action.DRAFT_TAKE: N_("Draft of a leaver taken over"),
    Action.ERASURE_ASK: N_("Erasure asked for"),
    Action.ERASURE_LIST: N_("List of erasures read"),
    Action.ERASURE_REFUSE: N_("Erasure refused"),
    Action.ERASURE_REPLAY: N_("Erasure carried out again after a restore"),
    Action.ERASURE_TAKE_BACK: N_("Request to erase taken back"),
    Action.EXPLOITATION_RECORD: N_("Kind of exploitation recorded"),
    Action.FACTOR_ADD: N_("Second factor added"),
    Action.FACTOR_DOUBT: N_("Passkey counted less than before: it may have been copied"),
    Action.FACTOR_LIST: N_("Own ways to sign in read"),
    Action.FACTOR_REMOVE: N_("Second factor removed"),
    Action.FACTOR_RESET: N_("All second factors of an account removed"),
    Action.FEDERATION_CONNECT: N_("Sign-in of another institution connected"),
    Action.FEDERATION_DISCONNECT: N_("Sign-in of another institution disconnected"),
    Action.FIELD_REVEAL: N_("A masked field shown"),
    Action.FLAG_LIST: N_("List of own flags read"),
    Action.FLAG_VIEW: N_("Own flag read"),
    Action.GLASS_BREAK: N_("Opened in an emergency"),
    Action.GLASS_ESCALATE: N_("Overdue review of an emergency access reported"),
    Action.GLASS_OPEN: N_("Emergency access read by a reviewer"),
    Action.GLASS_REVIEW: N_("Emergency access reviewed"),
    Action.HANDOVER_DECLINE: N_("Case not taken over"),
    Action.HANDOVER_LIST: N_("Offer of a case read"),
    Action.HANDOVER_OFFER: N_("Case offered to another organisation"),
    Action.HANDOVER_RETRACT: N_("Offer of the case taken back"),
    Action.HANDOVER_TAKE: N_("Case taken over"),
    Action.INDEX_BUILD: N_("Search tokens made"),
    Action.INDEX_RENEW: N_("New version of search tokens begun"),
    Action.INDEX_SWITCH: N_("Search moved to its new tokens"),
    Action.INVITATION_FAIL: N_("A link that is no longer good was tried"),
    Action.INVITATION_SEND: N_("Link to choose a password sent"),
    Action.KEY_CREATE: N_("Keys created"),
    Action.KEY_DRILL: N_("Recovery of the keys tried out"),
    Action.KEY_RECOVER: N_("Keys recovered by their custodians"),
    Action.KEY_RETIRE: N_("Key destroyed"),
    Action.KEY_REWRAP: N_("Keys wrapped anew"),
    Action.KEY_ROTATE: N_("New key made"),
    Action.KEY_SHARE: N_("Recovery sheets made"),
    Action.LISTING_APPROVE: N_("Listing approved"),
    Action.LISTING_SUBMIT: N_("Listing submitted"),
    Action.LISTING_SUSPEND: N_("Listing suspended"),
    Action.NEEDS_RECORD: N_("Needs recorded"),
    Action.NOTICE_LIST: N_("Own notices read"),
    Action.NOTICE_SEE: N_("Notice marked as seen"),
    Action.ORGANISATION_CHANGE: N_("Organisation changed"),
    Action.ORGANISATION_CREATE: N_("Organisation created"),
    Action.PERSON_SEARCH: N_("People searched for"),
    Action.RECOVERY_MAKE: N_("Recovery codes made"),
    Action.RECOVERY_USE: N_("Recovery code used"),
    Action.REFERRAL_ACCEPT: N_("Referral accepted"),
    Action.REFERRAL_DECLINE: N_("Referral declined"),
    Action.REFERRAL_END: N_("Referral ended"),
    Action.REFERRAL_EXPIRE: N_("Referral not answered in time"),
    Action.REFERRAL_LIST: N_("Inbox read"),
    Action.REFERRAL_OPEN: N_("Referral opened"),
    Action.REFERRAL_PREPARE: N_("Referral prepared"),
    Action.REFERRAL_SEND: N_("Referral sent"),
    Action.REFERRAL_WITHDRAW: N_("Referral withdrawn"),
    Action.SERVICE_RECORD: N_("Service recorded"),
    Action.SESSION_BEGIN: N_("Password accepted, second factor asked for"),
    Action.SESSION_CONFIRM: N_("Confirmed who it is"),
    Action.SESSION_END: N_("Signed out elsewhere"),
    Action.SESSION_FAIL: N_("Sign-in failed"),
    Action.SESSION_HISTORY: N_("List of sign-ins read"),
    Action.SESSION_LIST: N_("List of sittings read"),
    Action.SESSION_SIGN_IN: N_("Signed in"),
    Action.SESSION_SIGN_OUT: N_("Signed out"),
    Action.STATISTICS_ASK: N_("Release of statistics asked for"),
    Action.STATISTICS_COUNT: N_("Coded facts opened and counted for a release"),
    Action.STATISTICS_EXPORT: N_("Statistics taken out as a file"),
    Action.STATISTICS_FREEZE: N_("Release of statistics frozen"),
    Action.STATISTICS_SIGN: N_("Release of statistics signed"),
    Action.STATISTICS_VIEW: N_("Statistics read"),
    Action.WITNESS_ADD: N_("Witness of the log added"),
    Action.WITNESS_COSIGN: N_("Cosignature of a witness kept"),
}

# The acts that a case's timeline shows; reads are for the access history instead.
TIMELINE = (
    Action.CASE_FLAG,
    Action.CASE_ASSIGN,
    Action.CASE_LEAVE,
    Action.HANDOVER_OFFER,
    Action.HANDOVER_TAKE,
    Action.HANDOVER_DECLINE,
    Action.HANDOVER_RETRACT,
    Action.CASE_PRESUME,
    Action.CONSENT_RECORD,
    Action.CONSENT_EXCEPTION,
    Action.EXPLOITATION_RECORD,
    Action.NEEDS_RECORD,
    Action.REFERRAL_SEND,
    Action.REFERRAL_ACCEPT,
    Action.REFERRAL_DECLINE,
    Action.REFERRAL_EXPIRE,
    Action.REFERRAL_WITHDRAW,
    Action.REFERRAL_END,
    Action.SERVICE_RECORD,
    Action.DOCUMENT_ADD,
    Action.DOCUMENT_REMOVE,
    Action.BAR_PLACE,
    Action.BAR_LIFT,
    Action.GLASS_BREAK,
    Action.GLASS_REVIEW,
    Action.CASE_CLOSE,
    Action.DEMONSTRATION_LOAD,
    Action.ERASURE_ASK,
    Action.ERASURE_TAKE_BACK,
    Action.ERASURE_REFUSE,
    Action.CASE_ERASE,
    Action.ERASURE_REPLAY,
    Action.APPROVAL_ASK,
    Action.APPROVAL_CANCEL,
    Action.APPROVAL_CONFIRM,
    Action.APPROVAL_LAPSE,
    Action.APPROVAL_REJECT,
)

# Acts on one case that open parts of other files too, with their purposes.
_ACROSS_FILES = {(Action.CASE_COMPARE.value, ""), (Action.CASE_OPEN.value, "comparison")}


def across_files(action: str, purpose: str) -> bool:
    """Say whether an act on one case touches other cases: then "who has seen" asks its rows."""
    return (action, purpose) in _ACROSS_FILES
