"""Forms of sittings: ending one, ending all others, and choosing another password."""

from wtforms import PasswordField
from wtforms.validators import InputRequired

from nrm.web.forms.base import Form
from nrm.web.text import _l


class EndForm(Form):
    """A button that ends one sitting, or several; each is a form with a number of its own."""


class PasswordForm(Form):
    """The password of today, and the one from now on."""

    old = PasswordField(
        _l("Your password now"), validators=[InputRequired(_l("Enter your password of today"))]
    )
    # Any length is read here: the service says what a password must be.
    password = PasswordField(
        _l("New password"),
        description=_l(
            "12 characters or more. Several words that have nothing to do with each other are easy "
            "to remember and hard to guess; signs and digits are not needed."
        ),
        validators=[InputRequired(_l("Enter a new password"))],
    )
