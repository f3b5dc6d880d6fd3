"""The acts of reading the log."""

# ruff: noqa: ARG005

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from nrm.audit.actions import Action, Outcome
from nrm.services import log_export, log_search, log_state, sightings, signs
from tests import world as worlds
from tests.services.act import NOWHERE, Act
from tests.services.acts.shared import nothing

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


ACTS = [
    Act(
        "search the log",
        "auditor",
        worlds.flag,
        lambda world, actor, what, **_: log_search.search(
            actor, log_search.Search(case_reference=what)
        ),
        Action.AUDIT_SEARCH,
        fields=("case_reference",),
    ),
    Act(
        "take entries out of the log",
        "auditor",
        worlds.flag,
        lambda world, actor, what, **given: log_export.take_out(
            actor, log_search.Search(case_reference=what), **given
        ),
        Action.AUDIT_EXPORT,
        fields=("case_reference",),
        form=True,
        outcome=Outcome.BEGUN,
    ),
    Act(
        "read how the log stands",
        "auditor",
        nothing,
        lambda world, actor, what, **_: log_state.read(actor),
        Action.AUDIT_SEARCH,
        purpose="state",
    ),
    Act(
        "look for signs in the log",
        "auditor",
        nothing,
        lambda world, actor, what, **_: signs.of_week(
            actor, date(2026, 11, 16), ZoneInfo("Africa/Kigali")
        ),
        Action.AUDIT_SEARCH,
        purpose="signs",
    ),
    Act(
        "ask who has seen a file",
        "auditor",
        worlds.flag,
        lambda world, actor, what, **_: sightings.of_file(actor, what),
        Action.AUDIT_SEARCH,
        "case",
        purpose="file",
    ),
    Act(
        "ask what an account saw",
        "auditor",
        nothing,
        lambda world, actor, what, **_: sightings.of_account(
            actor, world.accounts["provider"], LONG_AGO, LONG_AGO + timedelta(days=1)
        ),
        Action.AUDIT_SEARCH,
        "account",
        purpose="account",
        missing=lambda world, actor: sightings.of_account(actor, uuid4(), LONG_AGO, LONG_AGO),
    ),
    Act(
        "read the access history of a case",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: sightings.history(actor, what),
        Action.CASE_HISTORY,
        "case",
        "contact facts",
        missing=lambda world, actor: sightings.history(actor, NOWHERE),
    ),
    Act(
        "open an entry of the log",
        "auditor",
        lambda world: (
            log_search.search(world.actor("auditor"), log_search.Search()).lines[0].entry.id
        ),
        lambda world, actor, what, **_: log_search.entry(actor, what),
        Action.AUDIT_SEARCH,
        "entry",
        missing=lambda world, actor: log_search.entry(actor, uuid4()),
    ),
]
