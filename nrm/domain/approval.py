"""What cannot be undone takes two people: which acts, who asks, who is the second, for how long.

Erasing a file and approving a listing have two people too, with forms of their own
(`nrm/domain/erasure.py`, the steps of a listing); whatever comes later stands in this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from nrm.domain.roles import Permission
from nrm.domain.text import N_


class ApprovalKind(StrEnum):
    """An act that waits until a second person has approved it."""

    BULK_EXPORT = "bulk_export"
    CASE_MERGE = "case_merge"
    ROLE_CHANGE = "role_change"


@dataclass(frozen=True)
class Rule:
    """Who asks for an act of one kind, who can be the second person, and how it is told."""

    asks: Permission
    approves: Permission
    # How long a request waits; one that nobody answered by then lapses.
    lives: timedelta
    # What the act is about, as the log names it.
    subject: str
    label: str
    # What whoever approves it has to know.
    warning: str


WEEK = timedelta(days=7)
RULES: Mapping[ApprovalKind, Rule] = {
    ApprovalKind.BULK_EXPORT: Rule(
        asks=Permission.CASE_EXPORT,
        approves=Permission.EXPORT_APPROVE,
        lives=WEEK,
        subject="export",
        label=N_("Take many files out of the system"),
        warning=N_("What has left cannot be called back. Nobody sees what is done with it."),
    ),
    ApprovalKind.CASE_MERGE: Rule(
        asks=Permission.CASE_MERGE,
        approves=Permission.MERGE_APPROVE,
        lives=WEEK,
        subject="case",
        label=N_("Make one file of two"),
        warning=N_("Two people in one file cannot be told apart again. Look at both files first."),
    ),
    ApprovalKind.ROLE_CHANGE: Rule(
        asks=Permission.ACCOUNT_MANAGE,
        approves=Permission.ROLE_APPROVE,
        lives=WEEK,
        subject="account",
        label=N_("Give somebody a role"),
        warning=N_("What a role has read cannot be unread. Ask whether the work needs it."),
    ),
}


def lapses_at(kind: ApprovalKind, asked_at: datetime) -> datetime:
    """Say until when a request can be answered."""
    return asked_at + RULES[kind].lives
