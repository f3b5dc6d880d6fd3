"""Files of every kind that is taken, and of some that are not, made as plain bytes."""

import io
import struct
import wave
import zipfile

from PIL import Image

PLACE_TAKEN = "behind the mill of kanariphoto"
DOCX_TYPES = (
    '<Types><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.wordprocessingml.document.main+xml"/></Types>'
)
ODT = "application/vnd.oasis.opendocument.text"


def pdf(words="Practice", size=0):
    """Make a file that begins and ends as a PDF does; `size` fills it up."""
    body = f"%PDF-1.4\n1 0 obj\n({words})\nendobj\n".encode()
    return body + b"%" * max(0, size - len(body) - 6) + b"\n%%EOF"


def picture(kind="JPEG", size=(40, 20), mode="RGB", **options):
    """Draw a picture whose left half is dark; `options` are those of its format."""
    drawn = Image.new(mode, size, 255 if mode in ("L", "1") else None)
    if mode == "RGB":
        drawn.paste((200, 180, 160), (0, 0, *size))
        drawn.paste((10, 20, 30), (0, 0, size[0] // 2, size[1]))
    made = io.BytesIO()
    drawn.save(made, kind, **options)
    return made.getvalue()


def photo(orientation=1):
    """Take a photo that says where it was taken, with what, and a word in every odd corner."""
    notes = Image.Exif()
    notes[0x0112] = orientation
    notes[0x010F] = PLACE_TAKEN
    notes[0x8825] = {1: "S", 2: (1.0, 56.0, 38.0), 3: "E", 4: (30.0, 3.0, 33.0)}
    taken = picture(exif=notes, comment=PLACE_TAKEN.encode(), icc_profile=PLACE_TAKEN.encode())
    return taken + PLACE_TAKEN.encode()


def packed(members, compression=zipfile.ZIP_DEFLATED):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def docx(**more):
    return packed({"[Content_Types].xml": DOCX_TYPES, "word/document.xml": "<w/>"} | more)


def odt(mimetype=ODT, **more):
    return packed({"mimetype": mimetype, "content.xml": "<o/>"} | more, zipfile.ZIP_STORED)


def wav():
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes(800))
    return made.getvalue()


def mp3(notes=b""):
    """Make four silent frames of 128 kbit/s at 44.1 kHz, behind an ID3 tag if there are notes."""
    frames = (b"\xff\xfb\x90\x00" + bytes(413)) * 4
    tag = b"ID3\x04\0\0" + bytes([0, 0, len(notes) >> 7, len(notes) & 0x7F]) + notes
    return tag + frames if notes else frames


def aac():
    size = 100
    head = bytes([0xFF, 0xF1, 0x50, 0x80 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5, 0xFC])
    return (head + bytes(size - len(head))) * 4


def box(name, content=b""):
    return struct.pack(">I", 8 + len(content)) + name + content


def mp4(*handlers, brand=b"M4A "):
    tracks = b"".join(
        box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + handler + bytes(12))))
        for handler in handlers
    )
    return box(b"ftyp", brand + bytes(4)) + box(b"moov", tracks) + box(b"mdat", bytes(64))


def ogg(codec=b"OpusHead"):
    return b"OggS\0\x02" + bytes(20) + b"\x01\x13" + codec + bytes(11)


def flac():
    return b"fLaC\x80\0\0\x22" + bytes(34)


def amr():
    return b"#!AMR\n" + bytes(32)


# What is taken, and as what it is known.
TAKEN = {
    "pdf": pdf(),
    "jpeg": picture(),
    "png": picture("PNG"),
    "docx": docx(),
    "odt": odt(),
    "mp3": mp3(),
    "m4a": mp4(b"soun"),
    "aac": aac(),
    "ogg": ogg(),
    "wav": wav(),
    "flac": flac(),
    "amr": amr(),
}


def liar(members=1, directory=46):
    """End an archive with a record that promises another directory than there is."""
    begins = max(0, 64 - directory)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, members, members, directory, begins, 0)
    return (b"PK\x03\x04" + bytes(60)) + end


def zip_bomb():
    """Make an archive whose directory promises far more than it holds, as a bomb's does."""
    made = bytearray(docx())
    size_at = made.rindex(b"PK\x01\x02") + 24
    made[size_at : size_at + 4] = struct.pack("<I", 10**9)
    return bytes(made)


# What is refused, whatever its name says.
REFUSED = {
    "a drawing with a script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    "a page": b"<!DOCTYPE html><script>alert(1)</script>",
    "a program": b"MZ\x90\0" + bytes(60) + b"PE\0\0",
    "a shell script": b"#!/bin/sh\necho practice\n",
    "words": b"Practice words.",
    "an archive": packed({"a.txt": "a"}),
    "a spreadsheet": packed({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<x/>"}),
    "a PDF behind a page": b"<html>" + pdf(),
    "a PDF without an end": pdf()[:-6],
    "a PDF before an archive": pdf() + packed({"a.txt": "a"}),
    "a PDF of no known version": b"%PDF-9.9\n%%EOF",
    "a text document with a program": docx(**{"word/vbaProject.bin": "x"}),
    "a text document that says so": packed(
        {
            "[Content_Types].xml": DOCX_TYPES.replace("main+xml", "main+xml macroEnabled"),
            "word/document.xml": "",
        }
    ),
    "an open text with a program": odt(**{"Basic/Standard/Module1.xml": "x"}),
    "an open text with a script": odt(**{"Scripts/python/a.py": "x"}),
    "an open drawing": odt("application/vnd.oasis.opendocument.graphics"),
    "an archive with paths": docx(**{"../../practice": "x"}),
    "an archive of many parts": docx(**{f"word/{number}": "" for number in range(2_001)}),
    "an archive bomb": zip_bomb(),
    "an archive behind a program": b"MZ" + docx(),
    "an archive before a page": docx() + b"<html>",
    "an archive that lies of its directory": liar(),
    "an archive with too long a directory": liar(directory=2**31),
    "a film": mp4(b"soun", b"vide"),
    "a film without sound": mp4(b"vide", brand=b"isom"),
    "a box without tracks": mp4(),
    "a box that ends before it begins": b"\0\0\0\x01ftyp" + bytes(24),
    "a film of the other kind": ogg(b"\x80theora"),
    "half a frame of sound": mp3()[:300],
    "one frame of sound": mp3()[:417],
    "frames of no known rate": (b"\xff\xfb\x9c\x00" + bytes(413)) * 4,
    "waves without a form": b"RIFF\0\0\0\0WAVEjunk" + bytes(30),
}


def bomb(kind="PNG", points=60_000_000):
    """Make a small file that unfolds to far too many points."""
    return picture(kind, (points // 1000, 1000), "1" if kind == "PNG" else "L")


# Pictures that cannot be drawn.
BROKEN = {
    "a photo that breaks off": picture(size=(400, 400))[:900],
    "a picture that breaks off": picture("PNG", (400, 400))[:300],
    "a photo of two bytes": b"\xff\xd8\xff",
    "a picture of its name alone": b"\x89PNG\r\n\x1a\n" + b"<script>alert(1)</script>",
}
