"""Forms of finding a person: by name or number, and the button that compares a case again."""

from nrm.web.forms.base import Form
from nrm.web.forms.flag_page import line
from nrm.web.text import _l


class PersonForm(Form):
    """What is known of the person who is looked for."""

    names = line(
        _l("Names"),
        _l("Two names find far more than one. Their order and small differences do not matter."),
    )
    identifier = line(
        _l("Number of an identity paper, or a telephone number"),
        _l("The whole number: a part of it finds nobody."),
    )


class LookAgainForm(Form):
    """Ask once more whether a person is known already."""
