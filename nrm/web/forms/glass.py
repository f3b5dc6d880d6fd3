"""Forms of emergency access: why it is needed, and what whoever reviews it found."""

from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from nrm.domain.vocabulary import GLASS_REASON, GLASS_VERDICT
from nrm.web.forms.base import LONGEST_TEXT, Form
from nrm.web.forms.flag_page import codes, radios
from nrm.web.text import _l

_TOO_LONG = _l("What you write must be 20,000 characters or fewer")


class BreakForm(Form):
    """Why it cannot wait, in a code and in words."""

    reason = radios(
        _l("What is the emergency?"),
        codes(GLASS_REASON),
        message=_l("Choose what the emergency is"),
    )
    words = TextAreaField(
        _l("What happened?"),
        description=_l("Whoever reviews this reads it. They do not see the file."),
        validators=[
            InputRequired(_l("Write what happened")),
            Length(max=LONGEST_TEXT, message=_TOO_LONG),
        ],
    )


class ReviewForm(Form):
    """What the reviewer found."""

    verdict = radios(
        _l("What did you find?"),
        codes(GLASS_VERDICT),
        message=_l("Choose what you found"),
    )
    words = TextAreaField(
        _l("Why, and what happens next"),
        description=_l("You can leave this empty where it was justified."),
        validators=[Length(max=LONGEST_TEXT, message=_TOO_LONG)],
    )
