"""Forms of approvals: answering another's request, and taking one's own back."""

from nrm.domain.vocabulary import APPROVAL_REFUSAL
from nrm.web.forms.base import Form
from nrm.web.forms.flag_page import codes, radios
from nrm.web.text import _l


class ConfirmForm(Form):
    """Nothing but the press of a button: to approve, or to take a request back."""


class RejectForm(Form):
    """Why a request is not approved; whoever asked reads it."""

    reason = radios(
        _l("Why do you not approve it?"),
        codes(APPROVAL_REFUSAL),
        message=_l("Choose why you do not approve it"),
    )
