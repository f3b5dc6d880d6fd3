"""The form on which an invited person chooses a password."""

from wtforms import PasswordField
from wtforms.validators import EqualTo, InputRequired, Length

from nrm.services.accounts import LONGEST, SHORTEST
from nrm.web.forms.base import Form
from nrm.web.text import _l


class ChooseForm(Form):
    """A new password, twice."""

    password = PasswordField(
        _l("New password"),
        description=_l(
            "12 characters or more. Four or five words that have nothing to do with each other "
            "are easy to remember and hard to guess."
        ),
        validators=[
            InputRequired(_l("Enter a new password")),
            Length(
                min=SHORTEST,
                max=LONGEST,
                message=_l("The password must have between 12 and 256 characters"),
            ),
        ],
    )
    again = PasswordField(
        _l("The same password again"),
        validators=[
            InputRequired(_l("Enter the new password a second time")),
            EqualTo("password", _l("The two passwords are not the same. Type both again.")),
        ],
    )
