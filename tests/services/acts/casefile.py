"""The acts of a case file: reading it, deciding on it, its documents, paper and masks."""

# ruff: noqa: ARG001, ARG005

from uuid import uuid4

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db
from nrm.domain.consent import Answer, GivenBy
from nrm.domain.roles import Permission
from nrm.models import Case
from nrm.security import search_tokens
from nrm.services import (
    casefile,
    comparison,
    consent,
    documents,
    follow_up,
    identification,
    keys,
    printing,
    reveal,
    search,
)
from tests import world as worlds
from tests.services.act import NOWHERE, Act
from tests.services.acts.shared import taken, version_of
from tests.world import CANARIES


def _presume(world, actor, what, **given):
    return identification.presume(
        actor,
        what,
        basis=["indicators"],
        words=CANARIES["presumption_words"],
        version=version_of(world, what, given),
        pack=world.pack,
        **given,
    )


def _consent(world, actor, what, **given):
    answer = consent.NewAnswer(
        "share_with_provider",
        Answer.GRANTED,
        world.organisations["lakes"],
        frozenset({"identity"}),
    )
    how = consent.How("oral", "run", GivenBy.PERSON, interpreter=CANARIES["interpreter"])
    return consent.record(actor, what, [answer], how, pack=world.pack, **given)


def _exception(world, actor, what, **given):
    answer = consent.NewAnswer(
        "share_with_provider",
        Answer.GRANTED,
        world.organisations["lakes"],
        frozenset({"contact"}),
    )
    how = consent.How(
        "oral",
        "run",
        GivenBy.PERSON,
        basis="vital_interests",
        reason=CANARIES["exception_reason"],
    )
    return consent.record(actor, what, [answer], how, pack=world.pack, **given)


def _close(world, actor, what, **given):
    return follow_up.close(
        actor,
        what,
        "plan_completed",
        CANARIES["closure_words"],
        version=version_of(world, what, given),
        pack=world.pack,
        **given,
    )


def _search(world, actor, what, **_):
    return search.find(actor, "Practice Person", "", world.pack)


def _case_ids(world):
    worlds.flag(world)
    return list(db.session.scalars(select(Case.id)))


def _compared(world):
    """Flag one person twice, and let housekeeping see that."""
    worlds.flag(world)
    reference = worlds.flag(world)
    comparison.compare_new()
    return reference


def _add_document(world, actor, what, **given):
    new = documents.NewDocument(
        "health", CANARIES["health_words"], "paper.pdf", worlds.incoming(world, worlds.PDF)
    )
    return documents.add(actor, what, new, **given)


def _attached(world):
    reference = worlds.flag(world)
    return reference, worlds.attach(world, reference)


def _open_document(world, actor, reference, document_id):
    folder = world.app.config["NRM"].documents
    opened = documents.open_document(actor, reference, document_id, folder)
    opened.close()
    return opened


def _remove_document(world, actor, reference, document_id, **given):
    folder = world.app.config["NRM"].documents
    return documents.remove(actor, reference, document_id, folder, **given)


ACTS = [
    Act(
        "record a presumption",
        "coordinator",
        worlds.flag,
        _presume,
        Action.CASE_PRESUME,
        "case",
        "facts_event narrative",
        # Nobody looked after the case until now.
        fields=("basis", "owner", "words"),
        form=True,
        versioned=True,
        missing=lambda world, actor: _presume(world, actor, NOWHERE, version=1),
    ),
    Act(
        "read the worklist",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.worklist(actor, casefile.Queue.INCOMING),
        Action.CASE_LIST,
        compartments="facts",
        purpose="incoming",
        empty_for_others=True,
    ),
    Act(
        "find a case",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.find(actor, what),
        Action.CASE_LIST,
        "case",
        purpose="find",
    ),
    Act(
        "list the cases that a search found",
        "coordinator",
        _case_ids,
        lambda world, actor, what, **_: casefile.listed(actor, what),
        Action.CASE_LIST,
        compartments="facts",
        purpose="search",
        empty_for_others=True,
    ),
    Act(
        "search for a person",
        "coordinator",
        worlds.flag,
        _search,
        Action.PERSON_SEARCH,
        compartments="identity",
        purpose=lambda: search_tokens.query_fingerprint(keys.keyring(), "person practice"),
    ),
    Act(
        "open a case file",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.overview(actor, what, {}),
        Action.CASE_OPEN,
        "case",
        "contact facts",
        missing=lambda world, actor: casefile.overview(actor, NOWHERE, {}),
    ),
    Act(
        "open a closed part of a case file",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.overview(
            actor, what, {"identity": "arrange_referral"}
        ),
        Action.CASE_OPEN,
        "case",
        "contact facts identity",
        "arrange_referral",
    ),
    Act(
        "give a reason to open a closed part",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **given: casefile.reveal(
            actor, what, "narrative", "safety", **given
        ),
        Action.COMPARTMENT_OPEN,
        "case",
        "narrative",
        "safety",
        form=True,
        missing=lambda world, actor: casefile.reveal(actor, NOWHERE, "narrative", "safety"),
    ),
    Act(
        "open an inner page of a case file",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.page(actor, what, Permission.CASE_PRESUME),
        Action.CASE_OPEN,
        "case",
        "contact facts",
        missing=lambda world, actor: casefile.page(actor, NOWHERE),
    ),
    Act(
        "read what a person agreed to",
        "coordinator",
        worlds.consented,
        lambda world, actor, what, **_: casefile.consent_page(actor, what),
        Action.CASE_OPEN,
        "case",
        "consent contact facts",
        "consent",
        missing=lambda world, actor: casefile.consent_page(actor, NOWHERE),
    ),
    Act(
        "read the referrals of a case",
        "coordinator",
        lambda world: worlds.served(world)[0],
        lambda world, actor, what, **_: casefile.referrals_page(actor, what),
        Action.CASE_OPEN,
        "case",
        "contact envelope facts service",
        "referrals",
        missing=lambda world, actor: casefile.referrals_page(actor, NOWHERE),
    ),
    Act(
        "read whether a person is known already",
        "coordinator",
        _compared,
        lambda world, actor, what, **_: casefile.comparison_page(actor, what),
        Action.CASE_OPEN,
        "case",
        "comparison contact facts",
        "comparison",
        missing=lambda world, actor: casefile.comparison_page(actor, NOWHERE),
    ),
    Act(
        "look again whether a person is known already",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **given: comparison.run(actor, what, **given),
        Action.CASE_COMPARE,
        "case",
        "comparison identity",
        form=True,
        missing=lambda world, actor: comparison.run(actor, NOWHERE),
    ),
    Act(
        "record consent",
        "coordinator",
        worlds.presumed,
        _consent,
        Action.CONSENT_RECORD,
        "case",
        "consent facts facts_event",
        "consent",
        fields=("share_with_provider",),
        form=True,
        missing=lambda world, actor: _consent(world, actor, NOWHERE),
    ),
    Act(
        "record an exception of the law",
        "coordinator",
        worlds.presumed,
        _exception,
        Action.CONSENT_EXCEPTION,
        "case",
        "consent facts facts_event",
        "vital_interests",
        fields=("share_with_provider",),
        form=True,
        missing=lambda world, actor: _exception(world, actor, NOWHERE),
    ),
    Act(
        "close a case",
        "coordinator",
        lambda world: worlds.accepted(world)[0],
        _close,
        Action.CASE_CLOSE,
        "case",
        "facts_event narrative",
        fields=("reason", "words"),
        form=True,
        versioned=True,
        missing=lambda world, actor: _close(world, actor, NOWHERE, version=1),
    ),
    Act(
        "add a document",
        "coordinator",
        worlds.flag,
        _add_document,
        Action.DOCUMENT_ADD,
        "document",
        "health",
        fields=("file", "title"),
        form=True,
        missing=lambda world, actor: _add_document(world, actor, NOWHERE),
    ),
    Act(
        "list the documents of a case",
        "coordinator",
        lambda world: _attached(world)[0],
        lambda world, actor, what, **_: documents.attachments(actor, what),
        Action.DOCUMENT_LIST,
        "case",
        "contact facts health",
        missing=lambda world, actor: documents.attachments(actor, NOWHERE),
    ),
    Act(
        "look at a document before it is removed",
        "coordinator",
        _attached,
        lambda world, actor, what, **_: documents.attached(actor, *what),
        Action.DOCUMENT_LIST,
        "document",
        "contact facts health",
        missing=lambda world, actor: documents.attached(actor, NOWHERE, uuid4()),
    ),
    Act(
        "open a document",
        "coordinator",
        _attached,
        lambda world, actor, what, **_: _open_document(world, actor, *what),
        Action.DOCUMENT_OPEN,
        "document",
        "health",
        missing=lambda world, actor: _open_document(world, actor, NOWHERE, uuid4()),
    ),
    Act(
        "remove a document",
        "coordinator",
        _attached,
        lambda world, actor, what, **given: _remove_document(world, actor, *what, **given),
        Action.DOCUMENT_REMOVE,
        "document",
        form=True,
        missing=lambda world, actor: _remove_document(world, actor, NOWHERE, uuid4()),
    ),
    Act(
        "print a case",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: printing.of_case(actor, what, {"identity": "safety"}),
        Action.CASE_PRINT,
        "case",
        "contact facts identity",
        purpose="safety",
        missing=lambda world, actor: printing.of_case(actor, NOWHERE, {}),
    ),
    Act(
        "print an accepted referral",
        "provider",
        taken,
        lambda world, actor, what, **_: printing.of_referral(actor, what),
        Action.CASE_PRINT,
        "referral",
        "contact envelope identity",
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: printing.of_referral(actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "show a masked field of a case",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **given: reveal.of_case(
            actor, what, "contact", "phone", "safety", **given
        ),
        Action.FIELD_REVEAL,
        "case",
        "contact",
        purpose="safety",
        fields=("phone",),
        form=True,
        missing=lambda world, actor: reveal.of_case(actor, NOWHERE, "contact", "phone", "safety"),
    ),
    Act(
        "show a masked field under a referral",
        "provider",
        taken,
        lambda world, actor, what, **given: reveal.of_referral(
            actor, what, "contact", "phone", **given
        ),
        Action.FIELD_REVEAL,
        "referral",
        "contact envelope",
        fields=("phone",),
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: reveal.of_referral(actor, "R-ZZZ-ZZZ-Z", "contact", "phone"),
    ),
]
