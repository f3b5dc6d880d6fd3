"""Pictures, drawn again from their points: place, device and whatever hid behind them stay out."""

import io
from threading import BoundedSemaphore

from PIL import Image

from nrm.domain.document import MOST_POINTS, TAKEN
from nrm.domain.errors import InvalidInputError, MechanismError
from nrm.domain.text import N_

TOO_LARGE = N_("The picture has more points than we can take. Save it smaller and try again")
_UNREADABLE = N_("The picture cannot be read to its end. Choose another one, or save it again")
_STARTS = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}
# What each kind can hold as it is; whatever else it was is drawn as the last of them.
_MODES = {"jpeg": ("L", "RGB"), "png": ("1", "L", "LA", "RGBA", "RGB")}
# Faithful enough for a photograph of an injury, and no larger than a telephone's own.
_QUALITY = 92
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# A picture of fifty million points takes some 200 MB while it is drawn: one at a time.
_GATE = BoundedSemaphore(1)
# Our own limit is lower and refuses before anything is decoded; the library's would only warn.
Image.MAX_IMAGE_PIXELS = None


def kind_of(start: bytes) -> str:
    """Name the kind that a file's first bytes announce, or nothing."""
    return next((kind for kind, sign in _STARTS.items() if start.startswith(sign)), "")


def redrawn(file: io.BufferedReader, kind: str) -> bytes:
    """Return the picture drawn anew, upright, without anything but its points."""
    file.seek(0)
    with _GATE:
        try:
            drawn = _points(file, kind)
            made = io.BytesIO()
            drawn.save(made, kind.upper(), **({"quality": _QUALITY} if kind == "jpeg" else {}))
        except MechanismError:
            raise
        except Exception:  # noqa: BLE001 - whatever a decoder makes of made-up bytes, it is no picture
            raise InvalidInputError("file", _UNREADABLE) from None
    return made.getvalue()


def _points(file: io.BufferedReader, kind: str) -> Image.Image:
    with Image.open(file, formats=[kind.upper()]) as picture:
        width, height = picture.size
        if width * height > MOST_POINTS:
            raise InvalidInputError("file", TOO_LARGE)
        if width * height == 0:
            raise InvalidInputError("file", TAKEN)
        # A picture that breaks off is refused here.
        picture.load()
        drawn = _in_a_mode_of(kind, _upright(picture))
        # Saving would write some of this again.
        drawn.info = {}
        return drawn


def _upright(picture: Image.Image) -> Image.Image:
    """Turn a photo as its telephone noted that it was held."""
    turn = _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    return picture if turn is None else picture.transpose(turn)


def _in_a_mode_of(kind: str, picture: Image.Image) -> Image.Image:
    modes = _MODES[kind]
    if picture.mode in _SIXTEEN_BITS:
        # Plain conversion would cut every point off at 255.
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in modes and "transparency" not in picture.info:
        return picture.copy()
    if kind == "png" and ("A" in picture.getbands() or "transparency" in picture.info):
        return picture.convert("RGBA")
    return picture.convert("RGB")
