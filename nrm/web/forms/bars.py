"""Forms of bars: who is kept out of a case and why, and why no longer."""

from typing import Any
from uuid import UUID

from wtforms import SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from nrm.domain.vocabulary import BAR_REASON, LIFT_REASON
from nrm.services.bars import Page, Whom
from nrm.web.forms.base import LONGEST_TEXT, Form
from nrm.web.forms.flag_page import codes, radios
from nrm.web.text import _, _l

_ACCOUNT, _ORGANISATION = "account:", "organisation:"


def _words(label: Any) -> TextAreaField:  # noqa: ANN401 - a text that is translated later
    return TextAreaField(
        label,
        description=_l("It is sealed. Coordinators read it, and never whoever is kept out."),
        validators=[
            InputRequired(_l("Write why")),
            Length(max=LONGEST_TEXT, message=_l("Why must be 20,000 characters or fewer")),
        ],
    )


class PlaceForm(Form):
    """Who may not know of a case."""

    # The service knows who there is; a person who left meanwhile is named by it.
    whom = SelectField(
        _l("Who is kept out?"),
        description=_l("They are not told. The case is then not there for them."),
        validate_choice=False,
        validators=[InputRequired(_l("Choose who is kept out"))],
    )
    reason = radios(_l("Why?"), codes(BAR_REASON), message=_l("Choose why"))
    words = _words(_l("What makes you think so?"))

    def offer(self, page: Page) -> None:
        """Offer everybody who can be kept out."""
        groups = {
            str(_("Organisations")): [
                (f"{_ORGANISATION}{identifier}", name) for identifier, name in page.organisations
            ],
            str(_("People")): [
                (f"{_ACCOUNT}{identifier}", f"{name}, {organisation}")
                for identifier, name, organisation in page.people
            ],
        }
        self.whom.choices = {"": [("", str(_("Choose")))], **groups}

    @property
    def chosen(self) -> Whom:
        """Read who was chosen; nobody, where it is nobody's name."""
        kind, _colon, identifier = (self.whom.data or "").partition(":")
        try:
            found = UUID(identifier)
        except ValueError:
            return Whom()
        return Whom(account_id=found) if f"{kind}:" == _ACCOUNT else Whom(organisation_id=found)


class LiftForm(Form):
    """Why somebody may know of the case again."""

    reason = radios(_l("Why?"), codes(LIFT_REASON), message=_l("Choose why"))
    words = _words(_l("What has changed?"))
