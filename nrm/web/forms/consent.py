"""Forms of consent: what was asked, what was answered, and how."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from wtforms import BooleanField, HiddenField, RadioField

from nrm.domain.consent import (
    BASIS_CONSENT,
    EXPLAINED,
    SHARE_WITH_PROVIDER,
    SHAREABLE,
    Answer,
    GivenBy,
)
from nrm.domain.vocabulary import (
    COMPARTMENT,
    CONSENT_EXCEPTION,
    CONSENT_METHOD,
    CONSENT_PURPOSE,
    LANGUAGE,
)
from nrm.services.consent import How, NewAnswer
from nrm.web.context import pack
from nrm.web.forms.base import Form, PartDateField, choices
from nrm.web.forms.flag_page import codes, line, lines, radios, select, ticks
from nrm.web.text import _, _l

# What can be asked in one conversation; sharing with a provider has a page of its own.
ASKED = tuple(
    code
    for code, purpose in CONSENT_PURPOSE.items()
    if code != SHARE_WITH_PROVIDER and not purpose.always_off
)
NOT_ASKED = "not_asked"
_ANSWERS = {"yes": Answer.GRANTED, "no": Answer.REFUSED}


_HOW = ("explained", "given_by", "guardian_conflict", "method", "language", "interpreter")


class HowForm(Form):
    """How the person answered: in which way and language, and who spoke for a child."""

    explained = ticks(
        _l("What was explained first?"),
        lambda: choices(EXPLAINED),
        description=_l("Tick what was said, in words the person understands."),
    )
    given_by = radios(
        _l("Who answered?"),
        lambda: {
            GivenBy.PERSON.value: _("The person"),
            GivenBy.GUARDIAN.value: _("A parent or guardian, and the child agrees too"),
        },
    )
    guardian_conflict = BooleanField(_l("The parent or guardian may be involved in what happened"))
    method = radios(_l("How was the answer given?"), codes(CONSENT_METHOD))
    language = select(_l("In which language?"), codes(LANGUAGE, _l("Choose")))
    interpreter = line(_l("Interpreter (optional)"), _l("Who interpreted, if anyone did."))

    @property
    def asks_how(self) -> bool:
        """Say whether the person was asked at all."""
        return True

    @property
    def errors(self) -> dict[str | None, Sequence[Any]]:
        """List what is wrong in the order of the page: a form's own questions, then how."""
        found = super().errors
        return {name: found[name] for name in sorted(found, key=lambda name: name in _HOW)}

    def validate(self, extra_validators: dict[str, list[object]] | None = None) -> bool:
        """Ask how the person answered, where the person was asked."""
        valid = super().validate(extra_validators)
        if not self.asks_how:
            return valid
        for name, message in (
            ("given_by", _("Choose who answered")),
            ("method", _("Choose how the answer was given")),
            ("language", _("Choose the language that was spoken")),
        ):
            if not self[name].data and not self[name].errors:
                self.refuse(name, message)
                valid = False
        return valid

    def how(self, basis: str = BASIS_CONSENT, reason: str = "") -> How:
        """Give what is kept, sealed, beside the answers."""
        return How(
            method=self.method.data or "",
            language=self.language.data or "",
            given_by=GivenBy(self.given_by.data or GivenBy.PERSON),
            guardian_conflict=bool(self.guardian_conflict.data),
            interpreter=self.interpreter.data or "",
            explained=tuple(self.explained.data or ()),
            basis=basis,
            reason=reason,
        )


class RecordForm(HowForm):
    """One answer for each purpose that the person was asked about."""

    @property
    def purposes(self) -> list[RadioField]:
        """The questions, in the order in which they are asked."""
        return [self[_field(code)] for code in ASKED]

    def answers(self) -> list[NewAnswer]:
        """Give the answers; what was not asked is no answer."""
        return [
            NewAnswer(code, _ANSWERS[said])
            for code in ASKED
            if (said := self[_field(code)].data) in _ANSWERS
        ]

    def refuse(self, name: str, message: str) -> None:
        """Tie what is wrong with the answers as a whole to the first question."""
        super().refuse(_field(ASKED[0]) if name == "purposes" else name, message)


def _field(code: str) -> str:
    return f"purpose_{code}"


def _question(code: str) -> RadioField:
    return radios(
        _l(CONSENT_PURPOSE.label(code)),
        lambda: {"yes": _("Yes"), "no": _("No"), NOT_ASKED: _("Not asked")},
        default=NOT_ASKED,
    )


for _code in ASKED:
    setattr(RecordForm, _field(_code), _question(_code))


class ShareForm(HowForm):
    """What a named provider may be told, on which ground."""

    recipient = HiddenField()
    compartments = ticks(
        _l("What may this provider open once it accepts?"),
        dict,
        description=_l(
            "Tick nothing to share only the envelope: service, urgency, age band, languages, "
            "district and what you write on it."
        ),
    )
    basis = radios(
        _l("On what ground?"),
        lambda: {
            BASIS_CONSENT: _("The person agrees"),
            **choices(dict(CONSENT_EXCEPTION.choices())),
        },
        message=_l("Choose the ground"),
    )
    reason = lines(
        _l("Why does the law allow it?"),
        _l("The reason must be 20,000 characters or fewer"),
        _l("Only where you chose a legal exception. It is reviewed."),
    )
    until = PartDateField(
        _l("Until when? (optional)"),
        description=_l("The last day on which it holds. Leave it empty for no end."),
    )

    def __init__(self, recipient: UUID, receivable: frozenset[str], **options: Any) -> None:
        """Offer the parts that the services of this provider may be told of at all."""
        super().__init__(**options)
        self.recipient.data = str(recipient)
        self.compartments.choices = choices(
            {name: COMPARTMENT.label(name) for name in SHAREABLE if name in receivable}
        )

    @property
    def asks_how(self) -> bool:
        """With an exception of the law nobody was asked."""
        return bool(self.basis.data == BASIS_CONSENT)

    def validate(self, extra_validators: dict[str, list[object]] | None = None) -> bool:
        """Check that the last day is still to come."""
        valid = super().validate(extra_validators)
        if self.until.data and self.until.data < _today():
            self.refuse("until", _("The last day must be today or later"))
            return False
        return valid

    def answers(self) -> list[NewAnswer]:
        """Give the one answer."""
        return [
            NewAnswer(
                SHARE_WITH_PROVIDER,
                Answer.GRANTED,
                UUID(self.recipient.data),
                frozenset(self.compartments.data or ()),
                _end_of(self.until.data),
            )
        ]

    def how_shared(self) -> How:
        """Give how the person answered, or why the law allows it without an answer."""
        return self.how(self.basis.data, "" if self.asks_how else self.reason.data or "")


class WithdrawForm(HowForm):
    """The person takes a yes back."""


def _today() -> date:
    return datetime.now(UTC).astimezone(pack().zone).date()


def _end_of(day: date | None) -> datetime | None:
    """Give the moment at which a day ends where the people are."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=1), time(), pack().zone).astimezone(UTC)
