"""One file of the practice world's past, written as the services would have left it."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from nrm.cli.demonstration import people
from nrm.cli.demonstration.acts import World
from nrm.cli.demonstration.history_course import Asked, Past
from nrm.db import Unit, db
from nrm.domain import envelope, flag
from nrm.domain.consent import DENIED, SHARE_WITH_PROVIDER, STATISTICS, Answer, GivenBy
from nrm.domain.deadlines import answer_due, flag_review_due
from nrm.domain.lifecycle import Assistance, Identification, ReferralState
from nrm.domain.reference import new_case_reference, new_referral_reference
from nrm.domain.roles import HOUSEKEEPING, Actor, Role
from nrm.domain.vocabulary import PRESUMPTION_BASIS, is_under_16
from nrm.models import Case, Referral, ServiceRecord
from nrm.services import consent, search_index, vault
from nrm.services.facts import counted

_WORDS = "Practice text: a case of the past."
# How soon housekeeping looked whether the person was known.
_COMPARED = timedelta(minutes=5)


class File:
    """A file of the past while it is written, all in one act."""

    def __init__(self, world: World, unit: Unit, one: Past) -> None:
        self.world, self.unit, self.past = world, unit, one
        self.coordinator = people.pick(world.cast.coordinators, one.number)
        self.on = self._day(one.flagged)
        self.documents = flag.documents(one.pages, self.on)
        self.facts = self.documents["facts"] = {**self.documents["facts"], **self._learned()}
        self.case = self._case()
        self.referrals = [(asked, self._referral(asked)) for asked in one.asked]

    def _learned(self) -> dict[str, Any]:
        """What the facts hold beyond the flag."""
        learned = dict(self.past.known.facts)
        if self.past.presumed is not None:
            learned["needs"] = list(self.past.needs)
        if self.past.denied:
            learned[STATISTICS] = DENIED
        return learned

    def _case(self) -> Case:
        one, clocks = self.past, self.world.pack.clocks
        urgency = flag.flag_urgency(one.pages, self.on)
        responder = people.pick(self.world.cast.of(Role.FIRST_RESPONDER), one.number)
        helped = [asked.answered for asked in one.asked if asked.answered and asked.helped]
        due = flag_review_due(one.presumed or one.flagged, urgency, clocks)
        if helped:
            due = max(helped) + clocks.follow_up.length
        return Case(
            id=uuid4(),
            reference=new_case_reference(),
            incident_id=uuid4(),
            identification=Identification.PRESUMED if one.presumed else Identification.FLAGGED,
            assistance=Assistance.CLOSED,
            urgency=int(urgency),
            due_at=due,
            flagged_by_id=responder.id,
            flagged_by_organisation_id=responder.organisation_id,
            flagged_at=one.flagged,
            presumed_at=one.presumed,
            closed_at=one.closed,
            compared_at=one.flagged + _COMPARED,
            owner_id=self.coordinator.id,
            version=1,
        )

    def seal(self) -> None:
        """Create the case with its search tokens, referrals, keys and parts."""
        db.session.add(self.case)
        # Everything else points to the case, and what is sealed below to the referrals.
        db.session.flush()
        search_index.write(self.case.id, self.documents)
        db.session.add_all(row for _, row in self.referrals)
        vault.seal_new_case(self.unit, self.case, self.documents)
        self._count("flagged", self.past.flagged, self.past.flagged)
        # All of the past are different people, so that housekeeping found nobody alike.
        looked = self.past.flagged + _COMPARED
        self._note("comparison", "comparison", {"alike": []}, looked, HOUSEKEEPING)

    def identify(self) -> None:
        """Note why the person was presumed to be a victim, and what they said of statistics."""
        presumed = self.past.presumed
        if presumed is not None:
            basis = people.pick(PRESUMPTION_BASIS.codes[:3], self.past.number)
            told = {"basis": [basis], "words": _WORDS}
            self._note("presumption", "narrative", told, presumed, self.coordinator)
            self._count("presumed", presumed, self.past.flagged)
        answer = Answer.REFUSED if self.past.denied else Answer.GRANTED
        self._agree(presumed or self.past.flagged, consent.NewAnswer(STATISTICS, answer))

    def refer(self) -> None:
        """Write what each referral told, how it was answered, and what was given."""
        for asked, row in self.referrals:
            self._send(asked, row)
            self._answer(asked, row)

    def _referral(self, asked: Asked) -> Referral:
        urgency = flag.flag_urgency(self.past.pages, self.on)
        by_provider = asked.answer in (ReferralState.ACCEPTED, ReferralState.DECLINED)
        states = {
            # What closing a case leaves of the referrals that it ends.
            ReferralState.ACCEPTED: (ReferralState.ENDED, self.past.closed),
            ReferralState.SENT: (ReferralState.WITHDRAWN, self.past.closed),
            ReferralState.DECLINED: (ReferralState.DECLINED, None),
        }
        state, ended = states.get(asked.answer, (asked.answer, asked.answered))
        organisation = self.world.cast.organisations[asked.organisation]
        return Referral(
            id=uuid4(),
            reference=new_referral_reference(),
            case_id=self.case.id,
            organisation_id=organisation,
            state=state,
            urgency=self.case.urgency,
            sent_by_id=self.coordinator.id,
            sent_at=asked.sent,
            answer_due_at=answer_due(asked.sent, urgency, self.world.pack.clocks),
            answered_by_id=self._provider(organisation).id if by_provider else None,
            answered_at=asked.answered if by_provider else None,
            ended_at=ended,
            version=1,
        )

    def _send(self, asked: Asked, row: Referral) -> None:
        told = envelope.fill(
            self.facts,
            service=asked.service,
            urgency=row.urgency,
            safety=_WORDS,
            arrangements="",
        )
        vault.seal_envelope(self.unit, row, told)
        share = consent.NewAnswer(
            SHARE_WITH_PROVIDER,
            Answer.GRANTED,
            row.organisation_id,
            frozenset({"identity", "contact"}),
        )
        self._agree(asked.sent, share)
        self._count("consented", asked.sent, self.past.flagged)
        about = {"service": asked.service, "referral": str(row.id)}
        self._count("sent", asked.sent, self.past.flagged, **about)

    def _answer(self, asked: Asked, row: Referral) -> None:
        if asked.answered is None:
            # Closing the case takes back what nobody has answered by then.
            taken_back = ReferralState.WITHDRAWN.value
            self._count(taken_back, self.past.closed, asked.sent, referral=str(row.id))
            return
        of_it = {"referral": str(row.id)}
        reason = {"reason": asked.reason} if asked.reason else {}
        self._count(asked.answer.value, asked.answered, asked.sent, **of_it, **reason)
        if asked.reason:
            told = {"reason": asked.reason, "words": _WORDS}
            provider = self._provider(row.organisation_id)
            self._note("decline", "service", told, asked.answered, provider, row.id)
        for moment, outcome in asked.served:
            given = {"service": asked.service, "outcome": outcome}
            self._serve(row, given, moment)
            self._count("served", moment, asked.sent, **of_it, **given)

    def _serve(self, row: Referral, given: dict[str, Any], moment: datetime) -> None:
        provider = self._provider(row.organisation_id)
        told = {**given, "given_on": self._day(moment).isoformat(), "words": _WORDS}
        note_id = self._note("service", "service", told, moment, provider, row.id)
        db.session.add(
            ServiceRecord(
                id=uuid4(),
                referral_id=row.id,
                recorded_by_id=provider.id,
                recorded_at=moment,
                note_id=note_id,
            )
        )

    def close(self) -> None:
        """Note why the case was closed."""
        told = {"reason": self.past.reason, "words": _WORDS}
        self._note("closure", "narrative", told, self.past.closed, self.coordinator)
        self._count("closed", self.past.closed, self.past.flagged, reason=self.past.reason)

    def _agree(self, moment: datetime, answer: consent.NewAnswer) -> None:
        """Keep an answer; for a child under 16 a guardian gave it."""
        child = is_under_16(self.facts.get("age_band", "unknown"))
        by = GivenBy.GUARDIAN if child else GivenBy.PERSON
        how = consent.How("oral", self.facts["languages"][0], by)
        consent.write(self._at(moment), self.coordinator, self.case, [answer], how)

    def _note(
        self,
        kind: str,
        compartment: str,
        told: dict[str, Any],
        moment: datetime,
        by: Actor,
        subject_id: UUID | None = None,
    ) -> UUID:
        return vault.seal_note(
            self._at(moment),
            by,
            self.case.id,
            told,
            kind=kind,
            compartment=compartment,
            subject_id=subject_id or self.case.id,
        )

    def _count(self, event: str, moment: datetime, since: datetime, **coded: str) -> None:
        days = (moment - since).days
        counted(self.unit, self.case.id, event, self._day(moment), days=days, **coded)

    def _at(self, moment: datetime) -> Unit:
        """Give the same act an earlier moment: what it seals then is of that day."""
        return replace(self.unit, now=moment)

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.world.pack.zone).date()

    def _provider(self, organisation_id: UUID) -> Actor:
        found = self.world.cast.answering_for(organisation_id)
        if found is None:
            raise LookupError("nobody answers for this organisation")
        return found
