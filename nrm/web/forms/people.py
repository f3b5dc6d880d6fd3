"""Forms of whoever looks after accounts: whom to show, whom to invite, and why one is shut."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from wtforms import RadioField, SelectField, StringField, SubmitField
from wtforms.validators import DataRequired, InputRequired, Length, Regexp, ValidationError

from nrm.domain.roles import ROLE_LABEL, Role
from nrm.domain.staff import (
    ACCOUNT_STATE_LABEL,
    LAST_SEEN_LABEL,
    AccountState,
    LastSeen,
    given_by,
    is_elevation,
)
from nrm.domain.vocabulary import DISABLING
from nrm.models import Organisation
from nrm.services.accounts import NewAccount
from nrm.services.people import DORMANT, TAKEN_OVER, Asked
from nrm.web.forms.base import Form, choices
from nrm.web.forms.directory import UNLISTED
from nrm.web.text import _, _l

# The columns take as many characters.
_LONGEST_NAME = 120
_LONGEST_EMAIL = 254


def roles_given(giver: Role, homes: Sequence[Organisation]) -> tuple[Role, ...]:
    """List the roles that somebody may give in any of these organisations."""
    given = {one for home in homes for one in given_by(giver, home.kind)}
    return tuple(one for one in ROLE_LABEL if one in given)


def role_choices(roles: Sequence[Role], first: str) -> dict[str, str]:
    """Offer roles by their names."""
    return choices({role.value: ROLE_LABEL[role] for role in roles}, first=first)


class PeopleForm(Form):
    """Whom a list is narrowed to."""

    text = StringField(
        _l("Name or e-mail"),
        description=_l("How it begins is enough."),
        validators=[Length(max=_LONGEST_EMAIL, message=_l("Type 254 characters or fewer"))],
    )
    organisation = SelectField(_l("Organisation"), **UNLISTED)
    role = SelectField(_l("Role"), **UNLISTED)
    state = SelectField(_l("State"), **UNLISTED)
    seen = SelectField(_l("Last seen"), **UNLISTED)
    everyone = SubmitField(_l("Show everyone"))

    def __init__(
        self, homes: Sequence[Organisation], giver: Role, kept: Mapping[str, Any] | None = None
    ) -> None:
        """Offer what the viewer looks after; one organisation alone is no question."""
        super().__init__(data=kept)
        self.organisation.choices = {
            "": _("All"),
            **{str(home.id): home.name for home in homes},
        }
        if len(homes) == 1:
            del self.organisation
        self.role.choices = role_choices(roles_given(giver, homes), _("All"))
        labels = {state.value: label for state, label in ACCOUNT_STATE_LABEL.items()}
        self.state.choices = choices(labels, first=_("All"))
        moments = {when.value: label for when, label in LAST_SEEN_LABEL.items()}
        self.seen.choices = choices(moments, first=_("All"))

    @property
    def kept(self) -> dict[str, str]:
        """What the sitting remembers of it."""
        place = self.organisation.data if "organisation" in self else ""
        asked = {"text": (self.text.data or "").strip(), "organisation": place or ""}
        picked = {name: self[name].data or "" for name in ("role", "state", "seen")}
        return {**asked, **picked}

    @staticmethod
    def asked(kept: Mapping[str, Any]) -> Asked:
        """Say what a sitting remembers as the service reads it."""
        place, part, state, seen = (
            kept.get(name, "") for name in ("organisation", "role", "state", "seen")
        )
        return Asked(
            kept.get("text", ""),
            UUID(place) if place else None,
            Role(part) if part else None,
            AccountState(state) if state else None,
            LastSeen(seen) if seen else None,
        )


class InviteForm(Form):
    """A new account, whose person chooses the password."""

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
        description=_l("Their own, not one that several people read."),
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

    def __init__(self, homes: Sequence[Organisation], giver: Role, **kwargs: Any) -> None:
        """Offer the organisations and roles that the viewer may give."""
        super().__init__(**kwargs)
        self.homes, self.giver = {str(home.id): home for home in homes}, giver
        names = {identifier: home.name for identifier, home in self.homes.items()}
        self.organisation.choices = {"": _("Choose"), **names}
        if len(homes) == 1:
            del self.organisation
        self.role.choices = role_choices(roles_given(giver, homes), _("Choose"))

    def validate_role(self, field: SelectField) -> None:
        """Refuse a role that people there do not have, and say which they have."""
        home = self._home()
        if home is None:
            return
        allowed = given_by(self.giver, home.kind)
        held = [one.value for one in allowed]
        if field.data not in held:
            names = ", ".join(str(_(ROLE_LABEL[role])) for role in allowed)
            raise ValidationError(_("People of this organisation can be: %(roles)s", roles=names))

    def _home(self) -> Organisation | None:
        if "organisation" in self:
            return self.homes.get(self.organisation.data or "")
        return next(iter(self.homes.values()))

    @property
    def account(self) -> NewAccount:
        """What is created."""
        home = self._home()
        return NewAccount(
            (self.name.data or "").strip(),
            self.email.data or "",
            home.id if home is not None else UUID(int=0),
            Role(self.role.data),
        )


class RoleForm(Form):
    """Which role somebody gets instead of theirs."""

    role = RadioField(
        _l("The new role"),
        validators=[InputRequired(_l("Choose the new role"))],
        **UNLISTED,
    )

    def __init__(self, now: Role, roles: Sequence[Role], **kwargs: Any) -> None:
        """Offer the roles, and say which is theirs and of which a second person decides."""
        super().__init__(**kwargs)
        self.role.choices = choices({role.value: ROLE_LABEL[role] for role in roles})
        more = _("It lets the person see more: a second person has to approve it.")
        self.hints = {one.value: more for one in roles if is_elevation(now, one)}
        self.hints[now.value] = _("The role now.")


class RenewForm(Form):
    """Why somebody needs a new link."""

    why = RadioField(
        _l("Why is a new link needed?"),
        validators=[InputRequired(_l("Choose why a new link is needed"))],
        **UNLISTED,
    )

    def __init__(self, **kwargs: Any) -> None:
        """Offer the two reasons: only one of them ends what the account had."""
        super().__init__(**kwargs)
        self.why.choices = {
            "lost": _("The link is lost or too old, or the password is forgotten"),
            TAKEN_OVER: _("Somebody else may know the password"),
        }


class DisableForm(Form):
    """Why an account is shut."""

    reason = RadioField(
        _l("Why?"),
        validators=[InputRequired(_l("Choose why the account is disabled"))],
        **UNLISTED,
    )

    def __init__(self, **kwargs: Any) -> None:
        """Offer what a person can say; dormant accounts are housekeeping's."""
        super().__init__(**kwargs)
        said = {code: label for code, label in DISABLING.choices() if code != DORMANT}
        self.reason.choices = choices(said)
