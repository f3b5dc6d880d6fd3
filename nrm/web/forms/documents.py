"""Forms of a case's documents: adding one, removing one."""

from flask_wtf.file import MultipleFileField
from wtforms import StringField
from wtforms.validators import Length, StopValidation

from nrm.domain.document import LONGEST_TITLE
from nrm.domain.vocabulary import COMPARTMENT
from nrm.services.document_files import Incoming
from nrm.services.documents import NewDocument
from nrm.web.forms.base import Form, choices
from nrm.web.forms.flag_page import radios
from nrm.web.text import _, _l

# What belongs where, in plain words.
PLACES = {
    "identity": _l("Passport, identity card, birth certificate, a photo of the person."),
    "contact": _l("How the person can be reached: a letter, a card with a number."),
    "narrative": _l("A statement, a recording, a photo of a place or a thing, a work contract."),
    "health": _l("Medical papers, photos of injuries, prescriptions."),
}


class OneFile:
    """Asks for one file, and says so where there is none, or more than one."""

    def __call__(self, form: Form, field: MultipleFileField) -> None:
        """Look at what arrived, not at what was named."""
        del form
        files = field.data or []
        if len(files) > 1:
            raise StopValidation(_("Choose one file at a time"))
        if not files or not isinstance(files[0].stream, Incoming):
            raise StopValidation(_("Choose a file"))


def parts() -> dict[str, str]:
    """Offer the parts of a file that documents are added to."""
    return choices({code: label for code, label in COMPARTMENT.choices() if code in PLACES})


class AddForm(Form):
    """A file, where it belongs, and what it is called."""

    # One file is asked for; a field for one would drop a second without a word.
    file = MultipleFileField(
        _l("The file"),
        description=_l(
            "Up to 25 MB: PDF, photo (JPEG or PNG), Word (DOCX), OpenDocument text (ODT) or a "
            "sound recording."
        ),
        validators=[OneFile()],
    )
    compartment = radios(
        _l("Where does it belong?"),
        parts,
        description=_l("Whoever may open this part of the file may open the document."),
        message=_l("Choose where the document belongs"),
    )
    title = StringField(
        _l("Title (optional)"),
        description=_l(
            "Leave it empty to use the name of the file. Write no names and no numbers of people: "
            "the list shows it whole."
        ),
        validators=[
            Length(max=LONGEST_TITLE, message=_l("The title must be 120 characters or fewer"))
        ],
    )

    def document(self) -> NewDocument:
        """Give what was sent, as the service takes it."""
        [sent] = self.file.data
        return NewDocument(
            self.compartment.data or "", self.title.data or "", sent.filename or "", sent.stream
        )


class RemoveForm(Form):
    """The wish to remove a document, and nothing to fill in."""
