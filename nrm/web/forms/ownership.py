"""Forms of who looks after a case: taking, assigning, offering, being away, drafts left behind."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from wtforms import HiddenField, SelectField
from wtforms.validators import DataRequired, InputRequired

from nrm.domain.vocabulary import ASSIGN_REASON, DRAFT_TAKE_REASON
from nrm.services.keeping import Candidate
from nrm.web import keeping_words
from nrm.web.forms.base import Form, PartDateField
from nrm.web.forms.flag_page import codes, lines, radios
from nrm.web.text import _, _l


def _somebody(label: str) -> SelectField:
    # Those who can be asked are looked up where the page is shown, and again by the service.
    return SelectField(
        label, validators=[InputRequired(_l("Choose a person"))], validate_choice=False
    )


class PressForm(Form):
    """Nothing but the press of a button: to take a case, to answer an offer, to be back."""


class AskSomebodyForm(Form):
    """One person out of those who can be asked; whether they can, the service says."""

    to = _somebody(_l("Who?"))

    def offer(self, candidates: Sequence[Candidate], me: UUID | None = None) -> None:
        """Offer these people, each with the organisation, and whether they are away."""
        self.to.choices = {
            "": _("Choose"),
            **{str(one.account.id): _named(one, me) for one in candidates},
        }

    @property
    def person(self) -> UUID | None:
        """The one that was chosen; none, where what was sent is nobody."""
        try:
            return UUID(self.to.data or "")
        except ValueError:
            return None


class AssignForm(AskSomebodyForm):
    """To whom a case goes, and from an owner also why."""

    to = _somebody(_l("Who looks after the case from now on?"))
    # Who looked after the case when the page was shown.
    owner = HiddenField()
    reason = radios(
        _l("Why does the case change hands?"),
        codes(ASSIGN_REASON),
        message=_l("Choose why the case changes hands"),
    )

    def about(self, owner: UUID | None) -> None:
        """Carry who looks after the case; ask for no reason where nobody gives it away."""
        self.owner.data = str(owner or "")
        self.owner.raw_data = None
        if owner is None:
            del self.reason

    @property
    def why(self) -> str:
        """The reason, where one was asked for."""
        return self.reason.data or "" if "reason" in self else ""

    @property
    def shown_owner(self) -> UUID | None:
        """Who looked after the case when the page was shown."""
        try:
            return UUID(self.owner.data or "")
        except ValueError:
            return None


class OfferForm(AskSomebodyForm):
    """To whom a case is offered in another organisation, and what they should know."""

    to = _somebody(_l("To whom do you offer the case?"))
    words = lines(
        _l("What should they know? (optional)"),
        _l("What they should know must be 20,000 characters or fewer"),
        _l("Where the case stands, what comes next. It is sealed, and only they and you read it."),
    )


class AwayForm(AskSomebodyForm):
    """Until which day somebody is away, and who stands in."""

    to = _somebody(_l("Who looks after your cases meanwhile?"))
    until = PartDateField(
        _l("Until which day are you away?"),
        description=_l("The last day that you are away, for example 14 8 2027."),
        validators=[DataRequired(_l("Enter the last day that you are away"))],
    )

    @property
    def last_day(self) -> date:
        """The last day away, once the form is valid."""
        return self.until.data or date.min


class TakeDraftForm(Form):
    """Why somebody takes over the draft of a colleague who has gone."""

    reason = radios(
        _l("Why do you take it over?"),
        codes(DRAFT_TAKE_REASON),
        message=_l("Choose why you take it over"),
    )


class GiveDraftForm(AskSomebodyForm):
    """To which first responder a draft goes."""

    to = _somebody(_l("Who goes on with it?"))


def _named(one: Candidate, me: UUID | None) -> str:
    name, place = one.account.name, one.organisation
    if one.account.id == me:
        return _("%(name)s (you)", name=name)
    if one.is_away:
        until = keeping_words.last_day(one.account)
        return _("%(name)s, %(place)s (away until %(day)s)", name=name, place=place, day=until)
    return _("%(name)s, %(place)s", name=name, place=place)
