"""What became of the invented people of the past: when, who was asked, and how it ended.

Nothing of it goes on: whatever would, was closed before the day on which the world is loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from random import Random

from nrm.cli.demonstration.history_people import Weights, draw, happens, person
from nrm.cli.demonstration.people import Pages
from nrm.country import CountryPack
from nrm.country.demonstration import Demonstration
from nrm.domain import flag
from nrm.domain.lifecycle import ReferralState
from nrm.domain.roles import Role
from nrm.domain.vocabulary import DECLINE_REASON, NEED, Urgency
from nrm.services.exploitation import Exploitation

_REASONS: Weights[str] = {
    "plan_completed": 44,
    "transferred": 12,
    "return_completed": 11,
    "assistance_declined": 10,
    "contact_lost": 9,
    "moved_abroad": 6,
    "not_a_victim": 4,
    "duplicate": 1,
    "deceased": 1,
    "other": 2,
}
# Nobody presumed these, or asked for help for them.
_NO_VICTIM = frozenset({"not_a_victim", "duplicate"})
# These end well: somebody helped.
_HELPED = frozenset({"plan_completed", "return_completed"})
# After how many days, as a rule, a file is read and a presumption recorded.
_READ = {Urgency.IMMEDIATE: 0.2, Urgency.HIGH: 1.0, Urgency.NORMAL: 3.0}
# Whatever is not named here is asked for once in a while.
_SERVICES: Weights[str] = {
    "emergency_shelter": 16,
    "psychosocial_counselling": 16,
    "medical_examination": 12,
    "legal_information": 10,
    "vocational_training": 8,
    "legal_representation": 7,
    "longer_term_accommodation": 7,
    "immediate_needs": 6,
    "mental_health": 5,
    "sexual_health": 5,
    "livelihood": 5,
    "medical_emergency": 4,
    "job_placement": 3,
    "family_tracing": 3,
    "family_reunification": 3,
    "transport": 3,
    "safety_planning": 3,
    "interpretation": 2,
    "compensation_claim": 2,
    "follow_up": 2,
}
# They are asked more often who have somebody to answer.
_AT_THE_DESK = 4
_HOW_MANY: Weights[int] = {1: 36, 2: 36, 3: 20, 4: 8}
_ANSWERS: Weights[ReferralState] = {
    ReferralState.ACCEPTED: 76,
    ReferralState.DECLINED: 15,
    ReferralState.EXPIRED: 5,
    ReferralState.WITHDRAWN: 4,
}
# Some organisations have nobody at the desk, today as then.
_NO_ANSWER: Weights[ReferralState] = {ReferralState.EXPIRED: 78, ReferralState.WITHDRAWN: 22}
_DECLINES: Weights[str] = {
    code: {"no_capacity": 38, "outside_mandate": 14, "area_not_covered": 12}.get(code, 5)
    for code in DECLINE_REASON
}
_HOW_OFTEN: Weights[int] = {1: 56, 2: 29, 3: 15}
_OUTCOMES: Weights[str] = {"given": 80, "partly_given": 14, "not_given": 6}


@dataclass(frozen=True)
class Asked:
    """One referral of the past: what a provider was asked for, and what became of it."""

    service: str
    # The code of the organisation.
    organisation: str
    sent: datetime
    # What ended the waiting, and when; SENT where the case was closed before.
    answer: ReferralState
    answered: datetime | None = None
    reason: str = ""
    served: tuple[tuple[datetime, str], ...] = ()

    @property
    def helped(self) -> bool:
        """Say whether the provider accepted."""
        return self.answer is ReferralState.ACCEPTED

    @property
    def last(self) -> datetime:
        """When something happened last."""
        return max(self.answered or self.sent, *(moment for moment, _ in self.served), self.sent)

    def until(self, closed: datetime) -> "Asked":
        """Leave out what would have come after the case was closed."""
        if self.answered is None or self.answered > closed:
            return Asked(self.service, self.organisation, self.sent, ReferralState.SENT)
        return replace(self, served=tuple(one for one in self.served if one[0] <= closed))


@dataclass(frozen=True)
class Past:
    """One case of the past, from the flag to its closing."""

    number: int
    pages: Pages
    known: Exploitation
    flagged: datetime
    presumed: datetime | None
    needs: Sequence[str]
    asked: Sequence[Asked]
    # Whether the person said no to statistics.
    denied: bool
    closed: datetime
    reason: str


@dataclass(frozen=True)
class Setting:
    """Where the past took place, and by when all of it was over."""

    pack: CountryPack
    demonstration: Demonstration
    over: datetime

    def offers(self, sex: str, band: str) -> Weights[tuple[str, str]]:
        """Weigh what could be asked of whom for such a person: (service, organisation).

        Whoever was ever approved could be asked; what is not known of a person is no hindrance.
        """
        return {
            (service, listing.organisation): _SERVICES.get(service, 1)
            for listing in self.demonstration.listings
            if listing.approved_by
            and {sex, band} <= {*listing.sexes, *listing.age_bands, "unknown"}
            for service in listing.services
        }

    @cached_property
    def answering(self) -> frozenset[str]:
        """The organisations that have somebody at the desk."""
        accounts = self.demonstration.accounts
        return frozenset(one.organisation for one in accounts if one.role == Role.PROVIDER)


def past(chance: Random, setting: Setting, number: int, flagged: datetime) -> Past:
    """Draw one case that was flagged at a moment."""
    on = flagged.astimezone(setting.pack.zone).date()
    pages, known = person(chance, setting.pack, setting.demonstration.history, number, on)
    reason = draw(chance, _REASONS)
    presumed, asked = None, []
    if reason not in _NO_VICTIM and happens(chance, 96):
        presumed = _later(chance, flagged, _READ[flag.flag_urgency(pages, on)])
        if reason != "assistance_declined" or happens(chance, 35):
            asked = _asked(chance, setting, pages, on, presumed, helped=reason in _HELPED)
    closed = _closed(chance, setting, flagged, presumed, asked)
    reached = presumed is not None and presumed <= closed
    return Past(
        number,
        pages,
        known if reached and happens(chance, 93) else Exploitation(),
        flagged,
        presumed if reached else None,
        sorted({*(one.service for one in asked), chance.choices(NEED.codes)[0]}),
        [one.until(closed) for one in asked if one.sent <= closed],
        happens(chance, 2),
        closed,
        reason,
    )


def _asked(
    chance: Random, setting: Setting, pages: Pages, on: date, presumed: datetime, *, helped: bool
) -> list[Asked]:
    """Draw whom a coordinator asked for help, one after the other, and what came of it."""
    who = pages["person"]
    offers = setting.offers(who["sex"], flag.person_age_band(who, on))
    time_to_answer = setting.pack.clocks.answer[flag.flag_urgency(pages, on)].length
    asked: list[Asked] = []
    for left in reversed(range(draw(chance, _HOW_MANY))):
        known = {one.service for one in asked} | {one.organisation for one in asked if one.helped}
        must = helped and not left and not any(one.helped for one in asked)
        free = {
            offer: weight * (_AT_THE_DESK if offer[1] in setting.answering else not must)
            for offer, weight in offers.items()
            # Whoever helps already is not asked a second time.
            if known.isdisjoint(offer)
        }
        service, organisation = draw(chance, free)
        # Whoever is helped is asked for more in a while; whoever is not, at once.
        rest = 12.0 if asked and asked[-1].helped else 1.0
        before = asked[-1].answered if asked else None
        sent = _later(chance, before or presumed, rest)
        answers = _ANSWERS if organisation in setting.answering else _NO_ANSWER
        answer = ReferralState.ACCEPTED if must else draw(chance, answers)
        waits = not left and not helped and happens(chance, 20)
        new = Asked(service, organisation, sent, ReferralState.SENT if waits else answer)
        asked.append(_answered(chance, new, time_to_answer))
    return asked


def _answered(chance: Random, sent: Asked, time_to_answer: timedelta) -> Asked:
    """Draw when a referral was answered, and what followed."""
    within = _whole(time_to_answer * (0.05 + 0.9 * chance.random()))
    match sent.answer:
        case ReferralState.SENT:
            return sent
        case ReferralState.EXPIRED:
            # Housekeeping looks every few minutes.
            late = timedelta(minutes=1 + int(chance.random() * 9))
            return replace(sent, answered=sent.sent + time_to_answer + late)
        case ReferralState.DECLINED:
            reason = draw(chance, _DECLINES)
            return replace(sent, answered=sent.sent + within, reason=reason)
        case ReferralState.WITHDRAWN:
            return replace(sent, answered=sent.sent + within)
    served = []
    moment = accepted = sent.sent + within
    for _ in range(draw(chance, _HOW_OFTEN)):
        moment = _later(chance, moment, 8.0)
        served.append((moment, draw(chance, _OUTCOMES)))
    return replace(sent, answered=accepted, served=tuple(served))


def _closed(
    chance: Random,
    setting: Setting,
    flagged: datetime,
    presumed: datetime | None,
    asked: Sequence[Asked],
) -> datetime:
    """Say when it was over: after all that happened, and always before today."""
    at_the_latest = flagged + _whole((setting.over - flagged) * (0.3 + 0.7 * chance.random()))
    if asked and asked[-1].answered is None:
        # Closed within hours, while somebody was still to answer.
        return min(asked[-1].sent + timedelta(hours=2), at_the_latest)
    last = max((one.last for one in asked), default=presumed or flagged)
    return min(_later(chance, last, 30.0 if asked else 6.0), at_the_latest)


def _later(chance: Random, moment: datetime, days: float) -> datetime:
    """Draw a moment some days later: often fewer, at times many more, and never at once."""
    return moment + _whole(timedelta(days=days * chance.expovariate(1), minutes=20))


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=int(span.total_seconds()))
