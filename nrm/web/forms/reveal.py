"""The form of showing one masked field."""

from nrm.web.forms.base import Form


class ShowForm(Form):
    """Nothing but the press of a button."""
