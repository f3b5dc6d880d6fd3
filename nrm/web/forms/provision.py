"""Forms of provision: the answer to a referral, and a service that was given."""

from typing import Any

from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import AnyOf, InputRequired, Length

from nrm.domain.vocabulary import DECLINE_REASON, NEED, SERVICE_OUTCOME
from nrm.web.forms.base import LONGEST_TEXT, Form, PartDateField, choices
from nrm.web.text import _l


class AcceptForm(Form):
    """Yes, for one's organisation."""


class EndForm(Form):
    """Our part is done."""


class DeclineForm(Form):
    """No, and why."""

    # The code is checked against the list with words of our own, not with the library's.
    reason = RadioField(
        _l("Reason"),
        validate_choice=False,
        validators=[AnyOf(DECLINE_REASON.codes, _l("Choose why you decline"))],
    )
    words = TextAreaField(
        _l("Anything the coordinator should know (optional)"),
        description=_l("For example, from when you have room. Write nothing about the person."),
        validators=[
            Length(
                max=LONGEST_TEXT, message=_l("What you write must be 20,000 characters or fewer")
            )
        ],
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reason.choices = choices(dict(DECLINE_REASON.choices()))


class ServiceForm(Form):
    """A service that was given, or could not be."""

    service = SelectField(
        _l("Which service?"),
        validate_choice=False,
        validators=[AnyOf(NEED.codes, _l("Choose the service"))],
    )
    outcome = RadioField(
        _l("Was it given?"),
        validate_choice=False,
        validators=[AnyOf(SERVICE_OUTCOME.codes, _l("Say whether the service was given"))],
    )
    given_on = PartDateField(
        _l("On which day?"),
        description=_l("For example, 27 3 2026"),
        validators=[InputRequired(_l("Enter the day of the service"))],
    )
    words = TextAreaField(
        _l("What was done (optional)"),
        description=_l("Keep it short. You and the coordinator can read it."),
        validators=[
            Length(max=LONGEST_TEXT, message=_l("What was done must be 20,000 characters or fewer"))
        ],
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.service.choices = choices(dict(NEED.choices()))
        self.outcome.choices = choices(dict(SERVICE_OUTCOME.choices()))
