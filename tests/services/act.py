"""One act of the services, as the tables of the tests hold it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nrm.audit.actions import Action, Outcome
from nrm.domain.roles import Role

# A reference that nobody has.
NOWHERE = "ZZZZ-ZZZZ-Z"


@dataclass(frozen=True)
class Act:
    """One function of the services: who may do it, on what, and what the log says of it."""

    name: str
    by: str
    # Makes what the act is about.
    prepare: Callable[..., Any]
    # Does it: (world, actor, what it is about, options such as form_id and version).
    do: Callable[..., Any]
    action: Action
    subject: str = "none"
    # Which compartments the entry names.
    compartments: str = ""
    # Said, or computed where it depends on the installation's keys.
    purpose: str | Callable[[], str] = ""
    # The names of fields that the sealed detail holds.
    fields: tuple[str, ...] = ()
    # Whether a re-sent form is recognised, and whether another's change is.
    form: bool = False
    versioned: bool = False
    # Other people of a permitted role to whom this record must not exist.
    strangers: tuple[str, ...] = ()
    # Other roles that may do it too.
    also: tuple[Role, ...] = ()
    # Whether others are shown an empty list instead of being refused.
    empty_for_others: bool = False
    # Does it to a record that is not there.
    missing: Callable[..., Any] | None = None
    # An act that leaves the database has begun, and says later how it ended.
    outcome: Outcome = Outcome.DONE
