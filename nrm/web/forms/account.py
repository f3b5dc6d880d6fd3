"""Forms of signing in, of confirming who one is, and of the ways to do so."""

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from nrm.web.forms.base import LONGEST_LINE, Form
from nrm.web.text import _l

# An answer of a browser with a certificate of its maker is some kilobytes long.
_LONGEST_ANSWER = 20_000


class SignInForm(Form):
    """Who it is."""

    email = StringField(
        _l("Work e-mail"),
        validators=[
            InputRequired(_l("Enter your e-mail address")),
            Length(max=254, message=_l("The address must be 254 characters or fewer")),
        ],
    )
    # Any length is read, so that a password that is too long fails like a wrong one.
    password = PasswordField(_l("Password"), validators=[InputRequired(_l("Enter your password"))])


class CodeForm(Form):
    """The code that an app shows now."""

    code = StringField(
        _l("Code from your app"),
        description=_l("Six digits. Each code works once."),
        validators=[
            InputRequired(_l("Enter the code that your app shows now")),
            Length(max=LONGEST_LINE, message=_l("The code is six digits and no more")),
        ],
    )


class PaperCodeForm(Form):
    """One of the recovery codes that are kept on paper."""

    code = StringField(
        _l("Recovery code"),
        description=_l("Twelve letters and digits. Capitals and dashes do not matter."),
        validators=[
            InputRequired(_l("Enter one of your recovery codes")),
            Length(
                max=LONGEST_LINE,
                message=_l("A recovery code is twelve letters and digits and no more"),
            ),
        ],
    )


class PasskeyForm(Form):
    """What the browser answered for a passkey; our script puts it in."""

    answer = HiddenField(validators=[InputRequired(), Length(max=_LONGEST_ANSWER)])


class ButtonForm(Form):
    """Nothing but the press of a button."""
