"""Forms of signing in."""

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from nrm.web.forms.base import Form
from nrm.web.text import _l


class SignInForm(Form):
    """Who it is."""

    email = StringField(
        _l("Work e-mail"),
        validators=[InputRequired(_l("Enter your e-mail address")), Length(max=254)],
    )
    # Any length is read, so that a password that is too long fails like a wrong one.
    password = PasswordField(_l("Password"), validators=[InputRequired(_l("Enter your password"))])
