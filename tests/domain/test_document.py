import pytest

from nrm.domain.document import KINDS, LARGEST, LONGEST_TITLE, title_of
from nrm.domain.errors import InvalidInputError


def test_a_document_may_have_25_megabytes():
    assert LARGEST == 25 * 1024 * 1024


def test_each_kind_has_an_ending_of_its_own():
    assert len({kind.extension for kind in KINDS.values()}) == len(KINDS)
    assert len({kind.media_type for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize(
    ("typed", "name", "title"),
    [
        ("  Statement \n of  May ", "a.pdf", "Statement of May"),
        ("", "C:\\Users\\practice\\paper.pdf", "paper.pdf"),
        ("", "../../etc/passwd", "passwd"),
        ("", "/paper.pdf", "paper.pdf"),
        ("", "pa\u202eper\x07\u200b.pdf", "paper.pdf"),
        ("", "x" * LONGEST_TITLE, "x" * LONGEST_TITLE),
        ("بيان", "a.pdf", "بيان"),
        ("Inyandiko y’ubuhamya 🙂", "a.pdf", "Inyandiko y’ubuhamya 🙂"),
    ],
)
def test_a_title_is_what_can_be_seen_of_it(typed, name, title):
    assert title_of(typed, name) == title


@pytest.mark.parametrize(
    ("typed", "name", "message"),
    [
        ("x" * (LONGEST_TITLE + 1), "a.pdf", "120 characters or fewer"),
        ("", "x" * 300 + ".pdf", "Write a short title"),
        ("", "../", "Write a short title"),
        ("\u200b", "\x00", "Write a short title"),
    ],
)
def test_a_title_that_cannot_be_used_is_asked_for(typed, name, message):
    with pytest.raises(InvalidInputError, match=message) as refused:
        title_of(typed, name)
    assert refused.value.field == "title"
