"""Forms of the case file: finding it, opening closed fields, presuming, closing."""

from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from nrm.domain.vocabulary import CLOSURE_REASON, PRESUMPTION_BASIS, REVEAL_REASON
from nrm.web.forms.base import LONGEST_LINE, LONGEST_TEXT, Form, VersionedForm
from nrm.web.forms.flag_page import codes, lines, radios, select, ticks
from nrm.web.text import _l


class FindForm(Form):
    """The reference that was read out."""

    reference = StringField(
        _l("Case reference"),
        validators=[
            DataRequired(_l("Enter a reference, for example 7K4M-29QX-C")),
            Length(max=LONGEST_LINE, message=_l("This is too long for a reference")),
        ],
    )


class RevealForm(Form):
    """Why closed fields have to be opened."""

    reason = select(
        _l("Why do you need to see this?"),
        codes(REVEAL_REASON, _l("Choose a reason")),
        message=_l("Choose a reason first"),
    )


class PresumeForm(VersionedForm):
    """On what grounds the person is presumed to be a victim."""

    basis = ticks(
        _l("What does it rest on?"),
        codes(PRESUMPTION_BASIS),
        description=_l("Tick all that apply."),
        message=_l("Tick at least one ground"),
    )
    words = TextAreaField(
        _l("Your reason"),
        description=_l("A few plain sentences. Whoever decides later reads them."),
        validators=[
            DataRequired(_l("Write your reason in a few words")),
            Length(max=LONGEST_TEXT, message=_l("Your reason must be 20,000 characters or fewer")),
        ],
    )


class CloseForm(VersionedForm):
    """Why a case is closed."""

    reason = radios(
        _l("Why is the case closed?"),
        codes(CLOSURE_REASON),
        message=_l("Choose why the case is closed"),
    )
    words = lines(
        _l("What should be remembered? (optional)"),
        _l("What should be remembered must be 20,000 characters or fewer"),
    )
