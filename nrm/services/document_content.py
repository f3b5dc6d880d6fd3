"""What a document is, by its content alone: its name and its declared type are never asked."""

import io
import os
import zipfile

from nrm.domain.document import LARGEST, TAKEN
from nrm.domain.errors import InvalidInputError
from nrm.domain.text import N_
from nrm.services import document_pictures, document_sounds
from nrm.services.document_files import Incoming

TOO_LARGE = N_("The file is larger than 25 MB. Choose a smaller one, or send it in parts")
# Enough for every header that is looked at.
_START = 512
# A PDF ends with its marker; programs put a line or a few zero bytes after it.
_PDF_END, _PDF_TAIL = b"%%EOF", 1024
_BLANK = b"\r\n\t \0"
# A letter has some twenty parts, a report with pictures some hundreds; unpacked, far below this.
_MOST_MEMBERS, _MOST_UNPACKED = 2_000, 256 * 1024 * 1024
_LONGEST_DIRECTORY = 512 * 1024
_LONGEST_CONTENT_TYPES = 1024 * 1024
_END_RECORD = 22
_DOCX_MAIN = b"wordprocessingml.document.main+xml"
_ODT = b"application/vnd.oasis.opendocument.text"


def recognised(incoming: Incoming) -> tuple[str, Incoming]:
    """Return (kind, file to keep); raises InvalidInputError with what is taken instead.

    Pictures are made anew, so that nothing rides along with them; the rest is kept as it came.
    """
    _refuse_too_large(incoming, TOO_LARGE)
    if incoming.length == 0:
        raise InvalidInputError("file", N_("The file is empty. Choose another one"))
    file = incoming.reader()
    kind = document_pictures.kind_of(_start(file))
    if kind:
        return kind, _made_anew(incoming, kind)
    kind = _pdf(file) or _packed(file) or document_sounds.kind_of(file, incoming.length)
    if not kind:
        raise InvalidInputError("file", TAKEN)
    return kind, incoming


def _made_anew(incoming: Incoming, kind: str) -> Incoming:
    """Draw a picture again into a file of its own."""
    made = Incoming(incoming.folder, largest=2 * LARGEST)
    try:
        made.write(document_pictures.redrawn(incoming.reader(), kind))
        _refuse_too_large(made, document_pictures.TOO_LARGE)
        made.reader()
    except BaseException:
        made.discard()
        raise
    return made


def _refuse_too_large(incoming: Incoming, words: str) -> None:
    if incoming.too_large:
        raise InvalidInputError("file", words)


def _start(file: io.BufferedReader) -> bytes:
    file.seek(0)
    return file.read(_START)


def _pdf(file: io.BufferedReader) -> str:
    """Know a PDF that begins and ends as one: nothing stands before it and nothing after."""
    if not _start(file).startswith((b"%PDF-1.", b"%PDF-2.")):
        return ""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _PDF_TAIL))
    return "pdf" if file.read().rstrip(_BLANK).endswith(_PDF_END) else ""


def _packed(file: io.BufferedReader) -> str:
    """Know a text document by the parts that it is packed from; none of them is unpacked whole."""
    if not _start(file).startswith(b"PK\x03\x04") or not _sound_end(file):
        return ""
    try:
        with zipfile.ZipFile(file) as packed:
            members = packed.infolist()
            if not _sound_members(members):
                return ""
            return _text_document(packed, {member.filename for member in members})
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RuntimeError):
        return ""


def _sound_end(file: io.BufferedReader) -> bool:
    """Ask the archive's own last record how long its directory is, before anything reads it."""
    size = file.seek(0, os.SEEK_END)
    if size < _END_RECORD:
        return False
    file.seek(size - _END_RECORD)
    end = file.read(_END_RECORD)
    members = int.from_bytes(end[10:12], "little")
    directory = int.from_bytes(end[12:16], "little")
    begins = int.from_bytes(end[16:20], "little")
    return (
        # No comment: nothing may follow an archive's end.
        end.startswith(b"PK\x05\x06")
        and end.endswith(b"\0\0")
        and 0 < members <= _MOST_MEMBERS
        and directory <= _LONGEST_DIRECTORY
        # Nothing stands before an archive or between its directory and its end.
        and begins + directory + _END_RECORD == size
    )


def _sound_members(members: list[zipfile.ZipInfo]) -> bool:
    names = [member.filename for member in members]
    return (
        len(set(names)) == len(names) <= _MOST_MEMBERS
        and sum(member.file_size for member in members) <= _MOST_UNPACKED
        and min(member.header_offset for member in members) == 0
        and not any(member.flag_bits & 1 for member in members)
        and not any(name.startswith("/") or ".." in name.split("/") for name in names)
    )


def _text_document(packed: zipfile.ZipFile, names: set[str]) -> str:
    """Tell DOCX from ODT; one that carries a program is neither."""
    lowered = {name.lower() for name in names}
    if any("vbaproject" in name or name.startswith(("basic/", "scripts/")) for name in lowered):
        return ""
    if {"[Content_Types].xml", "word/document.xml"} <= names:
        types = _read(packed, "[Content_Types].xml", _LONGEST_CONTENT_TYPES)
        return "docx" if _DOCX_MAIN in types and b"macroEnabled" not in types else ""
    if {"mimetype", "content.xml"} <= names:
        return "odt" if _read(packed, "mimetype", len(_ODT) + 1) == _ODT else ""
    return ""


def _read(packed: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Unpack a small part, and no more of it than it may have."""
    with packed.open(name) as part:
        return part.read(most)
