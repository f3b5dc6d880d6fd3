"""Documents of a case: what kinds are taken, how large they may be, and what they are called."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from nrm.domain.errors import InvalidInputError
from nrm.domain.text import N_

MEGABYTE = 1024 * 1024
LARGEST = 25 * MEGABYTE
# A photograph of a phone has 12 to 50 million points.
MOST_POINTS = 50_000_000
LONGEST_TITLE = 120
# A page lists all documents of a case, so there is an end to them.
MOST_DOCUMENTS = 200

TAKEN = N_(
    "The file must be a PDF, a photo (JPEG or PNG), a Word document (DOCX), an OpenDocument text "
    "(ODT) or a sound recording (MP3, M4A, AAC, OGG, WAV, FLAC or AMR)"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of document that is taken."""

    label: str
    extension: str
    media_type: str


KINDS: Mapping[str, Kind] = {
    "pdf": Kind(N_("PDF"), "pdf", "application/pdf"),
    "jpeg": Kind(N_("Photo"), "jpg", "image/jpeg"),
    "png": Kind(N_("Picture"), "png", "image/png"),
    "docx": Kind(
        N_("Word document"),
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "odt": Kind(N_("OpenDocument text"), "odt", "application/vnd.oasis.opendocument.text"),
    "mp3": Kind(N_("Sound recording"), "mp3", "audio/mpeg"),
    "m4a": Kind(N_("Sound recording"), "m4a", "audio/mp4"),
    "aac": Kind(N_("Sound recording"), "aac", "audio/aac"),
    "ogg": Kind(N_("Sound recording"), "ogg", "audio/ogg"),
    "wav": Kind(N_("Sound recording"), "wav", "audio/wav"),
    "flac": Kind(N_("Sound recording"), "flac", "audio/flac"),
    "amr": Kind(N_("Sound recording"), "amr", "audio/amr"),
}


def title_of(typed: str, file_name: str) -> str:
    """Return what a document is called: the title that was typed, else the name of its file."""
    title = _plain(typed)
    if len(title) > LONGEST_TITLE:
        raise InvalidInputError("title", N_("The title must be 120 characters or fewer"))
    if title:
        return title
    title = _plain(file_name.replace("\\", "/").rsplit("/", 1)[-1])
    if not title:
        raise InvalidInputError("title", N_("The file has no name. Write a short title"))
    if len(title) > LONGEST_TITLE:
        raise InvalidInputError(
            "title", N_("The name of the file is too long to be a title. Write a short title")
        )
    return title


def _plain(text: str) -> str:
    """Take out what cannot be seen: it could turn a name round or hide its end."""
    seen = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return " ".join(seen.split())
