import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.reference import (
    ALPHABET,
    ReferenceTypo,
    new_case_reference,
    new_referral_reference,
    parse_case_reference,
    parse_referral_reference,
    spoken,
)

SPECIMEN = "7K4M-29QX-C"
REFERRAL = "R-83T-D6M-2"
BY_KIND = [
    (new_case_reference, parse_case_reference),
    (new_referral_reference, parse_referral_reference),
]
KINDS = pytest.mark.parametrize(("draw", "parse"), BY_KIND, ids=["case", "referral"])


def accepted(parse, text):
    try:
        return parse(text)
    except ReferenceTypo:
        return None


def test_the_alphabet_is_prime_and_leaves_out_what_is_misread():
    assert len(ALPHABET) == len(set(ALPHABET)) == 31
    assert not set("0OILU") & set(ALPHABET)


@KINDS
def test_what_is_drawn_is_read_back(draw, parse):
    drawn = {draw() for _ in range(200)}
    assert len(drawn) == 200
    assert {parse(reference) for reference in drawn} == drawn


def test_the_shape_is_made_for_reading_out():
    assert [len(group) for group in new_case_reference().split("-")] == [4, 4, 1]
    assert [len(group) for group in new_referral_reference().split("-")] == [1, 3, 3, 1]
    assert new_referral_reference().startswith("R-")


@KINDS
def test_every_single_wrong_symbol_is_found_at_every_place(draw, parse):
    reference = draw()
    for place, symbol in enumerate(reference):
        if symbol != "-":
            for wrong in set(ALPHABET) - {symbol}:
                assert accepted(parse, reference[:place] + wrong + reference[place + 1 :]) is None


@KINDS
@given(data=st.data())
def test_every_swap_of_two_symbols_is_found(draw, parse, data):
    # Built from drawn symbols, so that the property does not rest on the one reference above.
    symbols = list(draw().replace("-", ""))
    places = st.integers(0, len(symbols) - 1)
    first, second = data.draw(places), data.draw(places)
    swapped = symbols.copy()
    swapped[first], swapped[second] = symbols[second], symbols[first]
    unchanged = symbols[first] == symbols[second]
    assert (accepted(parse, "".join(swapped)) is not None) is unchanged


def test_every_pair_of_symbols_swapped_at_every_place_is_found():
    # Exhaustive: each neighbouring pair, whatever the other symbols; the sum is linear, so one
    # body of equal symbols stands for all.
    fitting = 0
    for place in range(8):
        for first in ALPHABET:
            for second in set(ALPHABET) - {first}:
                symbols = [*"111111111"]
                symbols[place : place + 2] = first, second
                swapped = symbols.copy()
                swapped[place : place + 2] = second, first
                both = [accepted(parse_case_reference, "".join(s)) for s in (symbols, swapped)]
                assert None in both
                fitting += both != [None, None]
    assert fitting > 0


@pytest.mark.parametrize(
    "typed",
    [
        "7K4M-29QX-C",
        "7k4m-29qx-c",
        "7K4M29QXC",
        "  7k4m 29qx c \n",
        "7K4M\u201329QX\u2014C",  # the dashes of a word processor
        "7K4M.29QX/C.",
        "\uff17\uff2b\uff14\uff2d\uff0d\uff12\uff19\uff31\uff38\uff0d\uff23",  # full width
        "7K4M\u00a029QX\u200bC",  # a blank that does not break, and one without width
        "\x007K4M-29QX-C",
    ],
)
def test_a_reference_is_read_however_it_is_written(typed):
    assert parse_case_reference(typed) == SPECIMEN


@pytest.mark.parametrize(
    ("typed", "reason", "words"),
    [
        ("", "empty", "Enter a reference"),
        (" - ", "empty", "Enter a reference"),
        ("7K4M-29", "length", "9 characters; you typed 6"),
        ("7K4M-29QX-CC", "length", "9 characters; you typed 10"),
        ("7" * 50_000, "length", "you typed 50000"),
        ("7K4M-29OX-C", "unused_character", "no letter O"),
        ("7K4M-290X-C", "unused_character", "no zero"),
        ("IK4M-29QX-C", "unused_character", "no letter I"),
        ("lk4m-29qx-c", "unused_character", "no letter L"),
        ("7K4M-29UX-C", "unused_character", "no letter U"),
        ("7K4M-29ÉX-C", "unused_character", "Character 7, É"),
        ("7\u041a4M-29QX-C", "unused_character", "Character 2"),  # a Cyrillic letter
        ("7K4M-29Q\U0001f600-C", "unused_character", "Character 8"),
        ("7K4M-29XQ-C", "check_character", "swapped"),
        ("7K4M-29QX-D", "check_character", "swapped"),
        ("7K4N-29QX-C", "look_again", "character 4, N"),  # M heard as N
        ("7K4M-Z9QX-C", "look_again", "character 5, Z"),  # 2 read as Z
    ],
)
def test_a_slip_is_explained(typed, reason, words):
    with pytest.raises(ReferenceTypo, match=words) as slip:
        parse_case_reference(typed)
    assert slip.value.reason_code == reason
    assert slip.value.message % slip.value.parameters == str(slip.value)


def test_a_slip_is_never_corrected_in_silence():
    # The typed value goes back to the reader as it is; the right one is nowhere in the answer.
    with pytest.raises(ReferenceTypo) as slip:
        parse_case_reference("7K4N-29QX-C")
    assert "M" not in str(slip.value).replace("Something", "")
    assert set(slip.value.parameters) == {"position", "typed"}


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (SPECIMEN, "length"),
        ("83TD-6M2", "length"),
        ("8-83T-D6M-2", "not_a_referral"),
        ("R-83T-D6M-Q", "check_character"),
        ("R-83T-D6M-Z", "check_character"),  # two places look alike, so none is named
        ("R-O3T-D6M-2", "unused_character"),
    ],
)
def test_a_referral_reference_is_told_from_a_case(typed, reason):
    assert parse_referral_reference(REFERRAL.lower().replace("-", " ")) == REFERRAL
    with pytest.raises(ReferenceTypo) as slip:
        parse_referral_reference(typed)
    assert slip.value.reason_code == reason


@given(st.text(max_size=30))
def test_whatever_is_typed_is_read_or_explained(text):
    for _, parse in BY_KIND:
        read = accepted(parse, text)
        assert read is None or parse(read) == read


def test_a_reference_is_spelt_in_the_radio_alphabet():
    words = "seven Kilo four Mike two nine Quebec X-ray Charlie"
    assert spoken(SPECIMEN) == tuple(words.split())


def test_every_symbol_has_a_word_of_its_own():
    assert len({spoken(symbol) for symbol in ALPHABET}) == 31
