"""The acts on one practice case, each by the person who would do it, through the services."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from uuid import UUID

from PIL import Image

from config import Settings
from nrm.cli.demonstration import people
from nrm.cli.demonstration.foundation import Cast
from nrm.cli.demonstration.story import Story
from nrm.cli.demonstration.timeline import Script
from nrm.country import CountryPack
from nrm.domain import flag
from nrm.domain.consent import (
    BASIS_CONSENT,
    SHARE_WITH_PROVIDER,
    Answer,
    GivenBy,
    may_receive,
)
from nrm.domain.lifecycle import ReferralState
from nrm.domain.roles import Actor, Role
from nrm.domain.vocabulary import CONSENT_METHOD, PRESUMPTION_BASIS, REVEAL_REASON, Urgency
from nrm.services import (
    casefile,
    consent,
    documents,
    erasure,
    exploitation,
    follow_up,
    identification,
    provision,
    referral,
)
from nrm.services.document_files import Incoming

_BETWEEN_PAGES = timedelta(minutes=2)
_NEXT_PERSON = timedelta(minutes=20)
# Until this age another must agree with the child, or the law must.
_AGREES_ALONE = 16
_ALWAYS_SHARED = frozenset({"identity", "contact"})


@dataclass(frozen=True)
class World:
    """Where and when the practice world is, and who is in it."""

    pack: CountryPack
    cast: Cast
    now: datetime
    # The district of each organisation, by its code.
    districts: Mapping[str, str]
    settings: Settings

    @property
    def today(self) -> date:
        """The day on which the practice world is loaded, where its people are."""
        return self.now.astimezone(self.pack.zone).date()


class CaseActs:
    """One practice case and what can be done with it."""

    def __init__(
        self, world: World, number: int, story: Story, neighbour: "CaseActs | None" = None
    ) -> None:
        """Take the case's number for all that varies; a neighbour was found at the same place."""
        self.world, self.number, self.story, self.neighbour = world, number, story, neighbour
        responders = world.cast.of(Role.FIRST_RESPONDER)
        self.responder: Actor = (
            neighbour.responder if neighbour else people.pick(responders, number)
        )
        self.coordinator = people.pick(world.cast.coordinators, number)
        # The next person of a place is written down when the one before is.
        self.begins: datetime = (
            neighbour.begins + _NEXT_PERSON if neighbour else world.now - story.ago
        )
        self.on = self.begins.astimezone(world.pack.zone).date()
        self.pages = people.pages(world.pack, number, story, self.on)
        self.reference = ""
        # The newest referral: its reference, who was asked, and for what.
        self.referral = ""
        self.asked: UUID | None = None
        self.service = ""

    @property
    def answer_time(self) -> timedelta:
        """How long a provider has to answer a referral of this urgency."""
        urgency: Urgency = flag.flag_urgency(self.pages, self.on)
        return self.world.pack.clocks.answer[urgency].length

    def flag(self) -> Script:
        """Write the flag page by page, as at a roadside, and send it."""
        same_place = self.neighbour.reference if self.neighbour else None
        draft = identification.start_draft(self.responder, same_place_as=same_place)
        for page, answers in self.pages.items():
            identification.save_page(self.responder, draft, page, answers)
            yield _BETWEEN_PAGES
        self.reference = identification.send_flag(self.responder, draft, self.world.pack)

    def presume(self) -> None:
        """Read the file and record the presumption."""
        casefile.overview(self.coordinator, self.reference, {})
        identification.presume(
            self.coordinator,
            self.reference,
            basis=[people.pick(PRESUMPTION_BASIS.codes[:3], self.number)],
            words="Practice text: the signs and what the person told fit together.",
            version=self._version(),
            pack=self.world.pack,
        )

    def record_exploitation(self) -> None:
        """Record what came to light of the exploitation."""
        exploitation.record_exploitation(
            self.coordinator,
            self.reference,
            people.exploitation(self.number, self.story.age),
            version=self._version(),
        )

    def record_needs(self) -> None:
        """Record what the person needs."""
        referral.record_needs(
            self.coordinator,
            self.reference,
            self.story.needs,
            version=self._version(),
            pack=self.world.pack,
        )

    def look_into(self, compartment: str) -> None:
        """Open a closed part of the file, with a reason."""
        reason = people.pick(REVEAL_REASON.codes, self.number)
        casefile.reveal(self.coordinator, self.reference, compartment, reason)
        casefile.overview(self.coordinator, self.reference, {compartment: reason})

    def ask(self, service: str, *, answering: bool = True) -> None:
        """Choose an approved provider, ask for consent, and send the referral."""
        self.service, self.asked = service, self._choose(service, answering=answering)
        shared = _ALWAYS_SHARED | ({"health"} if self.number % 3 == 0 else set())
        self.agree(Answer.GRANTED, shared & may_receive([service]))
        referral.prepare(self.coordinator, self.reference, service, self.asked, self.world.pack)
        self.referral = referral.send(
            self.coordinator,
            self.reference,
            service,
            self.asked,
            referral.Words(
                "Do not name the person at the gate (practice).",
                "A colleague comes along (practice).",
            ),
            version=self._version(),
            pack=self.world.pack,
        )

    def _choose(self, service: str, *, answering: bool) -> UUID:
        choice = referral.choose(self.coordinator, self.reference, service, self.world.pack)
        free = [
            candidate
            for candidate in choice.candidates
            if not candidate.asked
            and candidate.entry.listing.organisation_id != self.asked
            and self.story.sex in candidate.entry.listing.serves.split()
            and self._answers(candidate) is answering
        ]
        fitting = [candidate for candidate in free if candidate.fits] or free
        return people.pick(fitting, self.number).entry.listing.organisation_id

    def _answers(self, candidate: referral.Candidate) -> bool:
        organisation_id = candidate.entry.listing.organisation_id
        return self.world.cast.answering_for(organisation_id) is not None

    def agree(self, answer: Answer, compartments: frozenset[str] | set[str] = frozenset()) -> None:
        """Record what the person agrees to share with the provider in question."""
        share = consent.NewAnswer(SHARE_WITH_PROVIDER, answer, self.asked, frozenset(compartments))
        general = [
            consent.NewAnswer(purpose, Answer.GRANTED) for purpose in ("record", "statistics")
        ]
        answers = [share, *general]
        consent.record(self.coordinator, self.reference, answers, self._how(), pack=self.world.pack)

    def _how(self) -> consent.How:
        """An adult agrees; for a child under 16 a guardian does, or the law stands in."""
        method = people.pick(CONSENT_METHOD.codes, self.number)
        language = self.pages["person"]["languages"][0]
        if self.story.age >= _AGREES_ALONE:
            return consent.How(method, language, GivenBy.PERSON)
        exception = self.number % 2 == 1
        return consent.How(
            method,
            language,
            GivenBy.GUARDIAN,
            guardian_conflict=exception,
            basis="child_best_interest" if exception else BASIS_CONSENT,
            reason="Practice text: no safe adult could be asked." if exception else "",
        )

    @property
    def provider(self) -> Actor:
        """Who answers for the organisation that was asked."""
        found = self.world.cast.answering_for(self.asked) if self.asked else None
        if found is None:
            raise LookupError("nobody answers for this organisation")
        return found

    def accept(self) -> None:
        """Read the envelope, accept, and read what opens."""
        provision.inbox(self.provider, ReferralState.SENT)
        provision.read(self.provider, self.referral)
        provision.accept(self.provider, self.referral, self.world.pack)
        provision.read(self.provider, self.referral)

    def decline(self, reason: str) -> None:
        """Read the envelope and decline."""
        provision.read(self.provider, self.referral)
        words = "Practice text: please try another house."
        provision.decline(self.provider, self.referral, reason, words, self.world.pack)

    def serve(self, days: int = 0, outcome: str = "given") -> None:
        """Record a service given some days after the flag."""
        given = provision.NewService(
            self.service, outcome, self.on + timedelta(days=days), "Practice text: all went well."
        )
        provision.record_service(self.provider, self.referral, given, self.world.pack)

    def end(self) -> None:
        """End the provider's part."""
        provision.end(self.provider, self.referral, self.world.pack)

    def withdraw(self) -> None:
        """Take the referral back."""
        referral.withdraw(self.coordinator, self.reference, self.referral, pack=self.world.pack)

    def let_time_run_out(self) -> None:
        """Let housekeeping take unanswered referrals back."""
        provision.expire(self.world.pack)

    def close(self, reason: str) -> None:
        """Close the case."""
        words = "Practice text: agreed with everyone involved."
        follow_up.close(
            self.coordinator,
            self.reference,
            reason,
            words,
            version=self._version(),
            pack=self.world.pack,
        )

    def keep_paper(self) -> None:
        """Keep a photo of a paper with the file."""
        drawn = BytesIO()
        Image.new("RGB", (640, 400), "white").save(drawn, "PNG")
        with closing(Incoming(self.world.settings.documents)) as photo:
            photo.write(drawn.getvalue())
            paper = documents.NewDocument("identity", "Practice paper", "paper.png", photo)
            documents.add(self.coordinator, self.reference, paper)

    def erase(self, reason: str) -> None:
        """Ask for the erasure; a colleague carries it out."""
        asked = erasure.ask(self.coordinator, self.reference, reason)
        colleagues = self.world.cast.of(Role.COORDINATOR) + self.world.cast.of(Role.AUDITOR)
        colleague = next(who for who in colleagues if who != self.coordinator)
        erasure.carry_out(colleague, asked, self.reference, self.world.settings)

    def _version(self) -> int:
        return casefile.page(self.coordinator, self.reference).case.version
