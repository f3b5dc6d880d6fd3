from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from nrm.security import recovery
from nrm.security.keyfile import Holder, KeyFileError
from nrm.security.recovery import SheetsError, mark, new_sheets, read_sheet, rebuild

SECRET = bytes(range(32))
PAIRS = list(permutations(range(3), 2))
SETS = [new_sheets() for _ in range(2)]
WORDS = SETS[0].words


def refusal(*typed):
    """Return why words are refused, after checking that it is one line with nothing behind it."""
    with pytest.raises(SheetsError) as refused:
        rebuild(typed)
    line = str(refused.value)
    assert "\n" not in line
    # The cause is cut off: its text quotes words.
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return line


def changed(words, at, word):
    told = words.split()
    told[at] = word
    return " ".join(told)


# Any two of three.


@given(secret=st.binary(min_size=32, max_size=32), pair=st.sampled_from(PAIRS))
def test_any_two_sheets_of_any_secret_rebuild_its_root(secret, pair):
    sheets = generate_mnemonics(1, [(2, 3)], secret, iteration_exponent=0)[0]
    assert rebuild([sheets[at] for at in pair]).public == recovery._root(secret).public


@pytest.mark.parametrize("pair", PAIRS)
def test_two_sheets_open_what_was_sealed_to_the_set(pair):
    root = rebuild([WORDS[at] for at in pair])
    assert root.holder is Holder.RECOVERY
    assert root.current_id() == SETS[0].public
    sealed = root.wrap(b"a master key", b"its place")
    assert rebuild([WORDS[at] for at in reversed(pair)]).unwrap(sealed, b"its place")
    with pytest.raises(KeyFileError):
        root.unwrap(sealed, b"another place")


def test_a_sheet_has_33_words_of_the_list():
    for words in (*SETS[0].words, *SETS[1].words):
        assert len(words.split()) == 33
        assert set(words.split()) <= set(WORDLIST)


def test_one_sheet_or_none_rebuilds_nothing():
    for typed in (WORDS[:1], (), WORDS):
        assert refusal(*typed) == "the words of 2 custodians are needed, one line for each"
    # The library holds to it too, and the sheet itself says that it is one of two.
    assert read_sheet(WORDS[0], 0).member_threshold == 2
    with pytest.raises(MnemonicError):
        combine_mnemonics(WORDS[:1])


def test_the_secret_stretches_to_one_root_for_ever():
    """Sheets in safes outlive every release: these bytes may never change."""
    assert mark(recovery._root(SECRET).public) == "cfc5f1b6"


def test_two_sets_have_nothing_in_common():
    assert SETS[0].public != SETS[1].public
    assert not set(SETS[0].words) & set(SETS[1].words)
    assert WORDS[0] not in repr(SETS[0])


# As people type.


@pytest.mark.parametrize(
    "typed",
    [
        str.upper,
        str.title,
        lambda words: f"  {words}\t",
        lambda words: words.replace(" ", "   "),
        lambda words: " ".join(f"{n}. {word}" for n, word in enumerate(words.split(), 1)),
        lambda words: " ".join(f"{n} {word}" for n, word in enumerate(words.split(), 1)),
    ],
)
def test_capitals_spaces_and_numbers_do_not_matter(typed):
    assert rebuild([typed(WORDS[2]), WORDS[0]]).public == SETS[0].public


@given(at=st.integers(0, 32), word=st.sampled_from(WORDLIST), sheet=st.sampled_from([0, 1]))
def test_another_word_anywhere_is_refused(at, word, sheet):
    typed = [WORDS[0], WORDS[1]]
    if typed[sheet].split()[at] == word:
        return
    typed[sheet] = changed(typed[sheet], at, word)
    which = ("first", "second")[sheet]
    assert refusal(*typed) == (
        f"the words of the {which} sheet do not fit together: "
        "one is another word, or two are swapped"
    )


@given(at=st.integers(0, 31))
def test_two_swapped_words_are_refused(at):
    told = WORDS[0].split()
    told[at], told[at + 1] = told[at + 1], told[at]
    if " ".join(told) != WORDS[0]:
        assert "two are swapped" in refusal(" ".join(told), WORDS[1])


def slips(word):
    return [word[:-1], word + word[-1], word[0] + word[2] + word[1] + word[3:]]


# Of all 3,072 such slips, these are nearer to three other words than to the one that was meant.
TOO_FAR = {"ance", "bule", "flase"}


@given(meant=st.sampled_from(WORDLIST), slip=st.integers(0, 2), at=st.integers(0, 32))
def test_a_slip_is_named_by_its_number_with_what_was_perhaps_meant(meant, slip, at):
    typed = slips(meant)[slip]
    if typed in WORDLIST or typed in TOO_FAR:
        return
    line = refusal(WORDS[0], changed(WORDS[1], at, typed))
    assert line.startswith(f"word {at + 1} of the second sheet is not in the word list: perhaps ")
    suggested = line.partition("perhaps ")[2].split(" or ")
    assert meant in suggested
    assert len(suggested) <= 3


FOREIGN = generate_mnemonics(1, [(3, 5)], SECRET, iteration_exponent=0)[0]
SHORT = generate_mnemonics(1, [(2, 3)], SECRET[:16], iteration_exponent=0)[0]


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [
        (WORDS[0], WORDS[0], "the same sheet was typed twice: two different custodians are needed"),
        (WORDS[0], SETS[1].words[1], "the two sheets are of different sets: look at their marks"),
        (WORDS[0], SETS[1].words[0], "the two sheets are of different sets: look at their marks"),
        ("", WORDS[0], "the first sheet is empty: its 33 words are needed, on one line"),
        (WORDS[0], "1. 2. 3.", "the second sheet is empty: its 33 words are needed, on one line"),
        (
            WORDS[0].rpartition(" ")[0],
            WORDS[1],
            "the first sheet has 32 words: 33 are needed, on one line",
        ),
        (
            WORDS[0],
            WORDS[1] + " academic",
            "the second sheet has 34 words: 33 are needed, on one line",
        ),
        (WORDS[0], SHORT[1], "the second sheet has 20 words: 33 are needed, on one line"),
        (FOREIGN[0], FOREIGN[1], "the first sheet is not one of this program's"),
        ("x" * 5_000, WORDS[1], "word 1 of the first sheet is not in the word list"),
        (WORDS[0], "قلم " * 33, "word 1 of the second sheet is not in the word list"),
        (changed(WORDS[0], 4, "qqqqqqqq"), WORDS[1], "word 5 of the first sheet is not in the"),
    ],
)
def test_what_does_not_belong_together_is_refused_in_one_line(first, second, line):
    assert refusal(first, second).startswith(line)
