"""What a file is, by its content alone, and what is left of a picture."""

import io

import pytest
from PIL import Image

from nrm.domain.document import KINDS, LARGEST
from nrm.domain.errors import InvalidInputError
from nrm.services.document_content import recognised
from nrm.services.document_files import Incoming
from tests import attachments

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture
def recognise(tmp_path):
    """Give what a file is known as, and what would be kept of it."""

    def receive(content):
        sent = Incoming(tmp_path / "documents")
        sent.write(content)
        try:
            kind, file = recognised(sent)
            with file.reader() as kept:
                kept.seek(0)
                content = kept.read()
            file.discard()
            return kind, content
        finally:
            sent.discard()
            assert list(tmp_path.glob("documents/incoming/*")) == []

    return receive


def test_every_kind_is_known_by_what_it_holds(recognise, subtests):
    assert set(attachments.TAKEN) == set(KINDS)
    for kind, content in attachments.TAKEN.items():
        with subtests.test(kind):
            known, kept = recognise(content)
            assert known == kind
            if kind in ("jpeg", "png"):
                assert Image.open(io.BytesIO(kept)).size == (40, 20)
            else:
                assert kept == content


def test_what_can_stand_before_or_between_is_stepped_over(recognise, subtests):
    taken = {
        "notes before the sound": ("mp3", attachments.mp3(b"x" * 300)),
        "lines after the end": ("pdf", attachments.pdf() + b"\r\n\0"),
        "a newer PDF": ("pdf", attachments.pdf().replace(b"1.4", b"2.0")),
        "a sound with notes": ("m4a", attachments.mp4(b"soun", b"mdir")),
        "a sound of a telephone": ("m4a", attachments.mp4(b"soun", brand=b"3gp4")),
        "words in another code": ("ogg", attachments.ogg(b"\x01vorbis")),
        "a wide voice": ("amr", b"#!AMR-WB\n" + bytes(30)),
    }
    for what, (kind, content) in taken.items():
        with subtests.test(what):
            assert recognise(content)[0] == kind


def test_whatever_else_it_is_is_refused_with_what_is_taken(recognise, subtests):
    for what, content in attachments.REFUSED.items():
        with subtests.test(what):
            with pytest.raises(InvalidInputError, match="The file must be a PDF") as refused:
                recognise(content)
            assert refused.value.field == "file"


def test_a_picture_that_breaks_off_is_refused(recognise, subtests):
    for what, content in attachments.BROKEN.items():
        with subtests.test(what), pytest.raises(InvalidInputError, match="cannot be read"):
            recognise(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_that_unfolds_without_end_is_not_unfolded(recognise, kind):
    bomb = attachments.bomb(kind)
    assert len(bomb) < 1024 * 1024
    with pytest.raises(InvalidInputError, match="more points than we can take"):
        recognise(bomb)


def test_a_file_of_nothing_and_one_of_too_much_are_refused(recognise):
    with pytest.raises(InvalidInputError, match="empty"):
        recognise(b"")
    with pytest.raises(InvalidInputError, match="larger than 25 MB"):
        recognise(attachments.pdf(size=LARGEST + 1))


def test_a_photo_keeps_nothing_but_what_it_shows(recognise):
    photo = attachments.photo(orientation=6)
    assert photo.count(attachments.PLACE_TAKEN.encode()) >= 4
    _, kept = recognise(photo)
    assert b"kanariphoto" not in kept
    shown = Image.open(io.BytesIO(kept))
    assert not shown.getexif()
    assert not {"icc_profile", "comment", "exif", "xmp"} & set(shown.info)
    # It was held sideways: what was at its left is now at its top.
    assert shown.size == (20, 40)
    assert shown.getpixel((10, 5))[0] < 60 < shown.getpixel((10, 35))[0]


def test_what_rides_behind_a_picture_stays_out(recognise):
    for kind in ("JPEG", "PNG"):
        rider = attachments.picture(kind) + attachments.packed({"practice.js": "alert(1)"})
        assert b"practice.js" not in recognise(rider)[1]


def png(mode, **options):
    made = io.BytesIO()
    drawn = Image.new(mode, (3, 3))
    if mode == "P":
        drawn.putpalette([0, 0, 0, 200, 100, 50])
        drawn.putpixel((1, 1), 1)
    elif mode.startswith("I"):
        drawn.putpixel((1, 1), 40_000)
    elif mode == "RGBA":
        drawn.putpixel((1, 1), (200, 100, 50, 128))
    drawn.save(made, "PNG", **options)
    return made.getvalue()


WAYS = [
    (png("1"), "1", 0),
    (png("L"), "L", 0),
    (png("RGBA"), "RGBA", (200, 100, 50, 128)),
    (png("P"), "RGB", (200, 100, 50)),
    (png("P", transparency=0), "RGBA", (200, 100, 50, 255)),
    (png("I;16"), "L", 156),
    (attachments.picture(mode="CMYK", size=(3, 3)), "RGB", (255, 255, 255)),
    (attachments.picture(mode="L", size=(3, 3)), "L", 255),
]


def test_every_way_to_write_points_is_drawn(recognise, subtests):
    for content, mode, point in WAYS:
        with subtests.test(mode):
            shown = Image.open(io.BytesIO(recognise(content)[1]))
            assert (shown.mode, shown.getpixel((1, 1))) == (mode, point)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_photo_whose_notes_are_broken_is_taken_without_them(recognise):
    broken = attachments.picture(exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(20))
    assert recognise(broken)[0] == "jpeg"
