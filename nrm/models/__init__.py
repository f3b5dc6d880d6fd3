"""The tables, one family per file: columns and relationships, no rules."""

from nrm.models.access import Bar, BrokenGlass, Notice
from nrm.models.account import Account, AuthSession, Organisation
from nrm.models.approval import Approval
from nrm.models.audit import AuditEntry, AuditSight, Departure
from nrm.models.base import AUDITED_TABLES, Base
from nrm.models.case import Case, FlagDraft
from nrm.models.consent import ConsentAnswer
from nrm.models.directory import Listing, ListingService
from nrm.models.erasure import Erasure
from nrm.models.hand_over import HandOver
from nrm.models.keys import CaseKey, FactsKey, KeyHolder, MasterKey, SealedMasterKey
from nrm.models.receipt import FormReceipt
from nrm.models.referral import Referral, ServiceRecord
from nrm.models.release import Release, ReleaseCell, ReleaseProgress, ReleaseSignature
from nrm.models.sealed import (
    CompartmentHead,
    FactsHead,
    SealedCompartment,
    SealedDocument,
    SealedDraft,
    SealedEnvelope,
    SealedFacts,
    SealedFactsEvent,
    SealedNote,
)
from nrm.models.search import IdentifierToken, NameIndex, NameToken
from nrm.models.sign_in import (
    FederatedIdentity,
    Invitation,
    RecoveryCode,
    SecondFactor,
    SignInDelay,
)
from nrm.models.tree import AuditCheckpoint, AuditCosignature, AuditTile, AuditWitness

__all__ = [
    "AUDITED_TABLES",
    "Account",
    "Approval",
    "AuditCheckpoint",
    "AuditCosignature",
    "AuditEntry",
    "AuditSight",
    "AuditTile",
    "AuditWitness",
    "AuthSession",
    "Bar",
    "Base",
    "BrokenGlass",
    "Case",
    "CaseKey",
    "CompartmentHead",
    "ConsentAnswer",
    "Departure",
    "Erasure",
    "FactsHead",
    "FactsKey",
    "FederatedIdentity",
    "FlagDraft",
    "FormReceipt",
    "HandOver",
    "IdentifierToken",
    "Invitation",
    "KeyHolder",
    "Listing",
    "ListingService",
    "MasterKey",
    "NameIndex",
    "NameToken",
    "Notice",
    "Organisation",
    "RecoveryCode",
    "Referral",
    "Release",
    "ReleaseCell",
    "ReleaseProgress",
    "ReleaseSignature",
    "SealedCompartment",
    "SealedDocument",
    "SealedDraft",
    "SealedEnvelope",
    "SealedFacts",
    "SealedFactsEvent",
    "SealedMasterKey",
    "SealedNote",
    "SecondFactor",
    "ServiceRecord",
    "SignInDelay",
]
