"""Forms of the administration."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Regexp

from nrm.country import CountryPack
from nrm.domain.roles import HUMAN_ROLES, ROLE_LABEL, Role
from nrm.domain.vocabulary import ORGANISATION_TYPE
from nrm.models import Organisation
from nrm.services.accounts import NewAccount
from nrm.web.forms.base import LONGEST_LINE, Form, choices
from nrm.web.forms.directory import UNLISTED, districts
from nrm.web.text import _, _l

# The columns take as many characters.
_LONGEST_NAME = 120
_LONGEST_EMAIL = 254


class AccountForm(Form):
    """A new account."""

    name = StringField(
        _l("Name"),
        description=_l("As colleagues know the person. It stands beside what they do in the log."),
        validators=[
            DataRequired(_l("Enter the person’s name")),
            Length(max=_LONGEST_NAME, message=_l("The name must be 120 characters or fewer")),
        ],
    )
    email = StringField(
        _l("Work e-mail"),
        validators=[
            DataRequired(_l("Enter the work e-mail address")),
            Length(max=_LONGEST_EMAIL, message=_l("The address must be 254 characters or fewer")),
            Regexp(
                r"^\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*$",
                message=_l("Enter an e-mail address, like name@organisation.example"),
            ),
        ],
    )
    organisation = SelectField(
        _l("Organisation"),
        validators=[InputRequired(_l("Choose an organisation"))],
        **UNLISTED,
    )
    role = SelectField(
        _l("Role"),
        description=_l("One account has one role. It decides what the person can see and do."),
        validators=[InputRequired(_l("Choose a role"))],
        **UNLISTED,
    )
    password = PasswordField(
        _l("First password"),
        description=_l("12 characters or more. Tell it to the person by voice, not by e-mail."),
        validators=[
            InputRequired(_l("Enter a first password")),
            Length(
                min=12, max=256, message=_l("The password must have between 12 and 256 characters")
            ),
        ],
    )

    def __init__(self, organisations: Sequence[Organisation], **kwargs: Any) -> None:
        """Offer every organisation, and every role that a person can hold."""
        super().__init__(**kwargs)
        self.organisation.choices = {
            "": _("Choose"),
            **{str(organisation.id): organisation.name for organisation in organisations},
        }
        self.role.choices = choices(
            {role.value: ROLE_LABEL[role] for role in HUMAN_ROLES}, first=_("Choose")
        )

    @property
    def account(self) -> NewAccount:
        """What is created."""
        return NewAccount(
            (self.name.data or "").strip(),
            self.email.data or "",
            UUID(self.organisation.data),
            Role(self.role.data),
            self.password.data or "",
        )


class SwitchForm(Form):
    """The confirmation that an account is disabled, or enabled again."""


class OrganisationForm(Form):
    """A new organisation."""

    name = StringField(
        _l("Name"),
        validators=[
            DataRequired(_l("Enter the name of the organisation")),
            Length(max=LONGEST_LINE, message=_l("The name must be 200 characters or fewer")),
        ],
    )
    kind = SelectField(
        _l("What kind of organisation is it?"),
        validators=[InputRequired(_l("Choose what kind of organisation it is"))],
        **UNLISTED,
    )
    district = SelectField(
        _l("District"),
        validators=[InputRequired(_l("Choose a district"))],
        **UNLISTED,
    )
    is_provider = BooleanField(
        _l("It gives services to people in the mechanism"),
        description=_l("It can then be listed in the directory, and receive referrals."),
    )

    def __init__(self, pack: CountryPack, **kwargs: Any) -> None:
        """Offer the kinds of organisation and the districts."""
        super().__init__(**kwargs)
        self.kind.choices = choices(dict(ORGANISATION_TYPE.choices()), first=_("Choose"))
        self.district.choices = districts(pack)
