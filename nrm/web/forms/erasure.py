"""Forms of erasure: asking for it, answering, and confirming it for good."""

from wtforms import StringField
from wtforms.validators import DataRequired, Length

from nrm.domain.vocabulary import ERASURE_REASON
from nrm.web.forms.base import LONGEST_LINE, Form
from nrm.web.forms.flag_page import codes, radios
from nrm.web.text import _l


class AskForm(Form):
    """Why a closed case is to be erased."""

    reason = radios(
        _l("Why should the file be erased?"),
        codes(ERASURE_REASON),
        message=_l("Choose why the file should be erased"),
    )


class AnswerForm(Form):
    """Nothing but the press of a button: to take a request back, or to refuse it."""


class EraseForm(Form):
    """The reference, typed once more, so that nobody erases another file than they mean."""

    reference = StringField(
        _l("Type the reference of the file to confirm"),
        description=_l("It stands at the top of this page. Capitals and dashes do not matter."),
        validators=[
            DataRequired(_l("Type the reference of this file")),
            Length(max=LONGEST_LINE, message=_l("This is too long for a reference")),
        ],
    )
