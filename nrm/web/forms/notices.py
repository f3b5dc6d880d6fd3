"""The form of a notice: nothing but the press of a button."""

from nrm.web.forms.base import Form


class SeenForm(Form):
    """I have read this."""
