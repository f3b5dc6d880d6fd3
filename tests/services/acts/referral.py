"""The acts of referring, accepting and serving."""

# ruff: noqa: ARG005

from nrm.audit.actions import Action
from nrm.domain.lifecycle import ReferralState
from nrm.services import exploitation, provision, referral
from tests import world as worlds
from tests.services.act import NOWHERE, Act
from tests.services.acts.shared import sent, taken, version_of
from tests.world import CANARIES, SERVICE


def _needs(world, actor, what, **given):
    return referral.record_needs(
        actor,
        what,
        [SERVICE],
        version=version_of(world, what, given),
        pack=world.pack,
        **given,
    )


def _exploitation(world, actor, what, **given):
    return exploitation.record_exploitation(
        actor,
        what,
        exploitation.Exploitation(("servitude",), "outbound", "domestic_work"),
        version=version_of(world, what, given),
        **given,
    )


def _choose(world, actor, what, **_):
    return referral.choose(actor, what, SERVICE, world.pack)


def _prepare(world, actor, what, **_):
    return referral.prepare(actor, what, SERVICE, world.organisations["lakes"], world.pack)


def _send(world, actor, what, **given):
    return referral.send(
        actor,
        what,
        SERVICE,
        world.organisations["lakes"],
        referral.Words(CANARIES["safety"], CANARIES["arrangements"]),
        version=version_of(world, what, given),
        pack=world.pack,
        **given,
    )


def _withdraw(world, actor, what, **given):
    case, sent = what
    return referral.withdraw(actor, case, sent, pack=world.pack, **given)


def _decline(world, actor, what, **given):
    words = CANARIES["decline_words"]
    return provision.decline(actor, what, "no_capacity", words, world.pack, **given)


def _service(world, actor, what, **given):
    new = provision.NewService(SERVICE, "given", world.today, CANARIES["service_words"])
    return provision.record_service(actor, what, new, world.pack, **given)


def _over(world):
    """A referral under which a service was given, and whose part has ended."""
    _, sent = worlds.served(world)
    provision.end(world.actor("provider"), sent, world.pack)
    return sent


ACTS = [
    Act(
        "record needs",
        "coordinator",
        worlds.presumed,
        _needs,
        Action.NEEDS_RECORD,
        "case",
        "facts",
        fields=("needs",),
        form=True,
        versioned=True,
        missing=lambda world, actor: _needs(world, actor, NOWHERE, version=1),
    ),
    Act(
        "record the kind of exploitation",
        "coordinator",
        worlds.presumed,
        _exploitation,
        Action.EXPLOITATION_RECORD,
        "case",
        "facts",
        fields=("exploitation", "flow", "sector"),
        form=True,
        versioned=True,
        missing=lambda world, actor: _exploitation(world, actor, NOWHERE, version=1),
    ),
    Act(
        "choose a provider",
        "coordinator",
        worlds.consented,
        _choose,
        Action.REFERRAL_PREPARE,
        "case",
        "facts",
        missing=lambda world, actor: _choose(world, actor, NOWHERE),
    ),
    Act(
        "see what would be disclosed",
        "coordinator",
        worlds.consented,
        _prepare,
        Action.REFERRAL_PREPARE,
        "case",
        "facts",
        missing=lambda world, actor: _prepare(world, actor, NOWHERE),
    ),
    Act(
        "send a referral",
        "coordinator",
        worlds.consented,
        _send,
        Action.REFERRAL_SEND,
        "referral",
        "envelope facts facts_event",
        form=True,
        versioned=True,
        missing=lambda world, actor: _send(world, actor, NOWHERE, version=1),
    ),
    Act(
        "withdraw a referral",
        "coordinator",
        worlds.referred,
        _withdraw,
        Action.REFERRAL_WITHDRAW,
        "referral",
        "facts_event",
        form=True,
        missing=lambda world, actor: _withdraw(world, actor, (NOWHERE, "R-ZZZ-ZZZ-Z")),
    ),
    Act(
        "read the inbox",
        "provider",
        sent,
        lambda world, actor, what, **_: provision.inbox(actor, ReferralState.SENT),
        Action.REFERRAL_LIST,
        compartments="envelope",
        empty_for_others=True,
    ),
    Act(
        "open a referral before answering",
        "provider",
        sent,
        lambda world, actor, what, **_: provision.read(actor, what),
        Action.REFERRAL_OPEN,
        "referral",
        "envelope",
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: provision.read(actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "open a referral after accepting",
        "provider",
        taken,
        lambda world, actor, what, **_: provision.read(actor, what),
        Action.REFERRAL_OPEN,
        "referral",
        "contact envelope identity",
        strangers=("other_provider", "clinician"),
    ),
    Act(
        "list what is over",
        "provider",
        _over,
        lambda world, actor, what, **_: provision.closed(actor),
        Action.REFERRAL_LIST,
        empty_for_others=True,
    ),
    Act(
        "open a referral that is over",
        "provider",
        _over,
        lambda world, actor, what, **_: provision.read(actor, what),
        Action.REFERRAL_OPEN,
        "referral",
        "service",
        strangers=("other_provider", "clinician"),
    ),
    Act(
        "open the envelope to record a service",
        "provider",
        taken,
        lambda world, actor, what, **_: provision.working_on(actor, what),
        Action.REFERRAL_OPEN,
        "referral",
        "envelope",
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: provision.working_on(actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "accept a referral",
        "provider",
        sent,
        lambda world, actor, what, **given: provision.accept(actor, what, world.pack, **given),
        Action.REFERRAL_ACCEPT,
        "referral",
        "facts_event",
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: provision.accept(actor, "R-ZZZ-ZZZ-Z", world.pack),
    ),
    Act(
        "decline a referral",
        "provider",
        sent,
        _decline,
        Action.REFERRAL_DECLINE,
        "referral",
        "facts_event service",
        fields=("reason", "words"),
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: _decline(world, actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "record a service",
        "provider",
        taken,
        _service,
        Action.SERVICE_RECORD,
        "referral",
        "facts_event service",
        fields=("given_on", "outcome", "service", "words"),
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: _service(world, actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "end one's part",
        "provider",
        taken,
        lambda world, actor, what, **given: provision.end(actor, what, world.pack, **given),
        Action.REFERRAL_END,
        "referral",
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: provision.end(actor, "R-ZZZ-ZZZ-Z", world.pack),
    ),
]
