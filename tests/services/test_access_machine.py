"""Any order of referring, answering, barring, handing over and time passing, against a plain model.

Row 20 of the attack table. Two things hold whatever happens: no grant outlives its referral or its
consent, and a bar beats a grant. NRM_PROOF=1 takes 5,000 steps, else 500.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.consent import Answer, GivenBy
from nrm.domain.emergency import LASTS
from nrm.domain.errors import MechanismError, NotFoundError, RefusedError
from nrm.domain.lifecycle import ReferralState
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Bar, Case, Referral
from nrm.services import bars, casefile, consent, glass, provision, referral
from nrm.services.audit import record
from tests import world as worlds
from tests.world import ACCOUNTS, SERVICE

STEPS = 5_000 if os.environ.get("NRM_PROOF") else 500
STEPS_OF_A_RUN, RUNS_AT_ONCE = 30, 10
PROVIDERS = {"lakes": "provider", "hills": "other_provider"}
COORDINATORS = ("coordinator", "second_coordinator")
EVERYBODY = ("first_responder", *COORDINATORS, *PROVIDERS.values())
providers = st.sampled_from(sorted(PROVIDERS))
anybody = st.sampled_from(EVERYBODY)


@dataclass
class Model:
    """What should be true: the newest referral to each organisation, and what decides access."""

    sent: dict = field(default_factory=dict)
    state: dict = field(default_factory=dict)
    consent_until: dict = field(default_factory=dict)
    barred: set = field(default_factory=set)
    glass_until: dict = field(default_factory=dict)
    owner: str = ""

    def is_barred(self, name):
        return name in self.barred or ACCOUNTS[name][0] in self.barred

    def glass_live(self, name):
        return self.glass_until.get(name, datetime.min.replace(tzinfo=UTC)) > datetime.now(UTC)

    def consented(self, organisation):
        until = self.consent_until.get(organisation)
        return until is not None and until > datetime.now(UTC)


class Access(RuleBasedStateMachine):
    """One case, from a flag on; each rule is an act that somebody may try at any time."""

    world = None
    clock = None
    counted: ClassVar[Counter[str]] = Counter()

    @initialize(stage=st.sampled_from(("flagged", "sent", "accepted")))
    def begin(self, stage):
        self.model = Model()
        self.reference = worlds.consented(self.world, compartments=("identity",))
        self.model.consent_until["lakes"] = datetime.max.replace(tzinfo=UTC)
        if stage != "flagged":
            self.model.sent["lakes"] = worlds.refer(self.world, self.reference)
            self.model.state["lakes"] = "sent"
        if stage == "accepted":
            provision.accept(
                self.world.actor("provider"), self.model.sent["lakes"], self.world.pack
            )
            self.model.state["lakes"] = "accepted"
        case = db.session.scalars(select(Case).where(Case.reference == self.reference)).one()
        self.case_id, self.turns = case.id, 0
        # Whoever presumed looks after it.
        names = {account: name for name, account in self.world.accounts.items()}
        self.model.owner = names.get(case.owner_id, "")
        db.session.rollback()

    def tries(self, name, act):
        """Let somebody try an act; returns whether the mechanism let it happen."""
        self.counted["steps"] += 1
        try:
            act()
        except MechanismError:
            return False
        self.counted[name] += 1
        return True

    def coordinator(self):
        """Give a coordinator who is not kept out, to do what the unit does."""
        free = [name for name in COORDINATORS if not self.model.is_barred(name)]
        return self.world.actor(free[0])

    @rule(to=providers)
    def refer(self, to):
        made = []

        def act():
            made.append(
                referral.send(
                    self.coordinator(),
                    self.reference,
                    SERVICE,
                    self.world.organisations[to],
                    referral.Words(),
                    version=worlds.version(self.world, self.reference),
                    pack=self.world.pack,
                )
            )

        if self.tries("refer", act):
            assert to not in self.model.barred
            assert self.model.consented(to)
            self.model.sent[to], self.model.state[to] = made[0], "sent"

    @rule(to=providers)
    def accept(self, to):
        self._answer(to, "accept", "accepted", provision.accept)

    @rule(to=providers)
    def decline(self, to):
        def act(actor, sent, pack):
            provision.decline(actor, sent, "no_capacity", "", pack)

        self._answer(to, "decline", "over", act)

    @rule(to=providers)
    def end(self, to):
        self._answer(to, "end", "over", provision.end)

    def _answer(self, to, name, becomes, act):
        sent = self.model.sent.get(to)
        if sent is None:
            return
        worker = PROVIDERS[to]
        if self.tries(name, lambda: act(self.world.actor(worker), sent, self.world.pack)):
            assert not self.model.is_barred(worker)
            self.model.state[to] = becomes

    @rule(to=providers)
    def withdraw(self, to):
        sent = self.model.sent.get(to)
        if sent is not None and self.tries(
            "withdraw",
            lambda: referral.withdraw(
                self.coordinator(), self.reference, sent, pack=self.world.pack
            ),
        ):
            self.model.state[to] = "over"

    @rule(to=providers, hours=st.sampled_from((1, 30, 10_000)))
    def consent(self, to, hours):
        until = datetime.now(UTC) + timedelta(hours=hours)
        if self._says(to, Answer.GRANTED, until):
            self.model.consent_until[to] = until

    @rule(to=providers)
    def take_consent_back(self, to):
        if self._says(to, Answer.REFUSED, None):
            self.model.consent_until.pop(to, None)

    def _says(self, to, answer, until):
        parts = frozenset({"identity"} if answer is Answer.GRANTED else ())
        new = consent.NewAnswer(
            "share_with_provider", answer, self.world.organisations[to], parts, until
        )
        how = consent.How("oral", "run", GivenBy.PERSON)
        return self.tries(
            f"consent {answer.value}",
            lambda: consent.record(
                self.coordinator(), self.reference, [new], how, pack=self.world.pack
            ),
        )

    @rule(whom=st.sampled_from((*EVERYBODY, *PROVIDERS)))
    def bar(self, whom):
        free = [one for one in COORDINATORS if not self.model.is_barred(one) and one != whom]
        if free and self.tries(
            "bar", lambda: worlds.kept_out(self.world, self.reference, whom, by=free[0])
        ):
            self.model.barred.add(whom)
            if self.model.state.get(whom) in {"sent", "accepted"}:
                self.model.state[whom] = "over"
            if self.model.owner == whom:
                self.model.owner = ""

    @rule(whom=st.sampled_from((*EVERYBODY, *PROVIDERS)))
    def lift(self, whom):
        if whom not in self.model.barred:
            return
        ids = self.world.accounts | self.world.organisations
        bar_id = db.session.scalar(
            select(Bar.id).where(
                Bar.case_id == self.case_id,
                Bar.lifted_at.is_(None),
                (Bar.account_id == ids[whom]) | (Bar.organisation_id == ids[whom]),
            )
        )
        db.session.rollback()
        actor = self.coordinator()
        if self.tries(
            "lift", lambda: bars.lift(actor, self.reference, bar_id, "suspicion_cleared", "")
        ):
            self.model.barred.discard(whom)

    @rule(to=st.sampled_from((*COORDINATORS, "")))
    def transfer(self, to):
        if to and self.model.is_barred(to):
            return
        with unit_of_work() as unit:
            case = db.session.get_one(Case, self.case_id)
            case.owner_id = self.world.accounts[to] if to else None
            record(unit, HOUSEKEEPING, Action.CASE_OPEN)
        self.counted["steps"] += 1
        self.counted["transfer"] += 1
        self.model.owner = to

    @rule(who=anybody)
    def break_glass(self, who):
        act, what = self._door(who)
        if what is None:
            return
        give = glass.break_referral if act is glass.at_referral else glass.break_case
        actor = self.world.actor(who)
        moment = datetime.now(UTC)
        if self.tries("break glass", lambda: give(actor, what, "danger_to_life", "Practice.")):
            assert not self.model.is_barred(who)
            self.model.glass_until[who] = moment + LASTS

    @rule(minutes=st.sampled_from((5, 61, 60 * 5, 60 * 50)))
    def time_passes(self, minutes):
        self.clock.shift(timedelta(minutes=minutes))
        provision.expire(self.world.pack)
        self.counted["steps"] += 1
        self.counted["time passes"] += 1
        for to, sent in self.model.sent.items():
            state = db.session.scalar(select(Referral.state).where(Referral.reference == sent))
            if state is ReferralState.EXPIRED:
                assert self.model.state[to] in {"sent", "expired"}
                self.model.state[to] = "expired"
        db.session.rollback()

    def _door(self, who):
        """Say before which door somebody can stand: a referral's, or the case's."""
        organisation = ACCOUNTS[who][0]
        if organisation in PROVIDERS:
            return glass.at_referral, self.model.sent.get(organisation)
        return glass.at_case, self.reference

    @invariant()
    def a_bar_beats_every_grant(self):
        if not hasattr(self, "model"):
            return
        for who in EVERYBODY:
            look, what = self._door(who)
            if what is None:
                continue
            actor = self.world.actor(who)
            if self.model.is_barred(who):
                with pytest.raises(NotFoundError):
                    look(actor, what)
                self.counted["bars held"] += 1
                continue
            opened = look(actor, what).opened is not None
            assert opened == self.model.glass_live(who), who

    @invariant()
    def no_grant_outlives_its_referral_or_its_consent(self):
        if not hasattr(self, "model"):
            return
        for organisation, who in PROVIDERS.items():
            sent = self.model.sent.get(organisation)
            if sent is None or self.model.is_barred(who):
                continue
            received = provision.read(self.world.actor(who), sent)
            accepted = self.model.state[organisation] == "accepted"
            assert bool(received.opened) == (accepted and self.model.consented(organisation))
            assert bool(received.envelope) == (
                self.model.state[organisation] in {"sent", "accepted"}
            )
            self.counted["grants held"] += bool(received.opened)

    @invariant()
    def health_is_for_whoever_looks_after_the_case(self):
        if not hasattr(self, "model"):
            return
        # One of the two at a time: each asking is an act, and takes its time.
        self.turns += 1
        who = COORDINATORS[self.turns % len(COORDINATORS)]
        if self.model.is_barred(who):
            with pytest.raises(NotFoundError):
                casefile.reveal(self.world.actor(who), self.reference, "health", "safety")
            return
        may = self.model.owner in {"", who} or self.model.glass_live(who)
        try:
            casefile.reveal(self.world.actor(who), self.reference, "health", "safety")
            opened = True
        except RefusedError:
            opened = False
        assert opened == may, who


@pytest.mark.databases("sqlite")
def test_no_order_of_acts_lets_somebody_in_who_may_not(world, counted):
    Access.world, done = world, Access.counted
    done.clear()
    runs = settings(
        max_examples=RUNS_AT_ONCE,
        stateful_step_count=STEPS_OF_A_RUN,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        Access.clock = clock
        while done["steps"] < STEPS:
            run_state_machine_as_test(Access, settings=runs)
    steps = done.pop("steps")
    each = ", ".join(f"{name} {number}" for name, number in sorted(done.items()))
    counted(f"access: {steps:,} steps, done: {each}")
    # A few steps need not try everything; many do.
    everything = {"refer", "accept", "bar", "lift", "break glass", "transfer"}
    assert everything <= set(done) or STEPS < 1_000
    assert done["bars held"]
    assert done["grants held"]
