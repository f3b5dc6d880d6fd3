"""Forms of the statistics: asking for a release, and signing one."""

from collections.abc import Sequence

from wtforms import SelectField
from wtforms.validators import InputRequired

from nrm.domain.vocabulary import RELEASE_EDITION
from nrm.web.forms.base import Form
from nrm.web.forms.flag_page import codes, radios
from nrm.web.text import _, _l


class AskForm(Form):
    """Of which period, and whether for the first time or for good."""

    period = SelectField(
        _l("Which period?"),
        description=_l("Only what is over can be counted."),
        validators=[InputRequired(_l("Choose a period"))],
        validate_choice=False,
    )
    edition = radios(
        _l("Which edition?"),
        codes(RELEASE_EDITION),
        message=_l("Choose provisional or final"),
    )

    def __init__(self, periods: Sequence[tuple[str, str]]) -> None:
        """Offer the periods that are over, each with its words."""
        super().__init__()
        self.period.choices = [("", str(_("Choose"))), *periods]


class SignForm(Form):
    """Nothing but the press of a button."""
