import importlib.util

import pytest
from argon2 import PasswordHasher
from zxcvbn.frequency_lists import FREQUENCY_LISTS

# Other tests sign in with cheap hashes; these look at a copy of the module with its real ones.
_SPEC = importlib.util.find_spec("nrm.security.passwords")
passwords = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(passwords)

LONGEST = passwords.LONGEST
hash_password = passwords.hash_password
needs_rehash = passwords.needs_rehash
verify_password = passwords.verify_password

PASSWORD = "practice-makes-steady"


@pytest.fixture(scope="module")
def kept():
    return hash_password(PASSWORD)


@pytest.fixture
def checks(monkeypatch):
    """Count how often the costly comparison runs."""
    counted = []
    verify = PasswordHasher.verify

    def counting(self, password_hash, password):
        counted.append(password_hash)
        return verify(self, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    return counted


def test_the_right_password_is_right(kept):
    assert verify_password(PASSWORD, kept)


@pytest.mark.parametrize(
    "password", ["", PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1], "zero\0byte", "мuraho 🙂"]
)
def test_any_other_password_is_wrong(kept, password):
    assert not verify_password(password, kept)


def test_what_is_kept_is_argon2id_and_not_the_password(kept):
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in kept
    assert hash_password(PASSWORD) != kept


def test_an_unknown_account_costs_one_comparison_and_is_wrong(checks):
    assert not verify_password(PASSWORD, None)
    assert len(checks) == 1


def test_no_password_opens_an_account_that_is_not_there(checks):
    # Not even the one whose hash stands in for it.
    assert not verify_password("nobody signs in with this", None)
    assert len(checks) == 1


def test_a_known_account_costs_one_comparison_too(kept, checks):
    assert verify_password(PASSWORD, kept)
    assert not verify_password("something else", kept)
    assert len(checks) == 2


def test_the_stand_in_costs_as_much_as_a_kept_hash(kept):
    assert passwords._NOBODY.rsplit("$", 2)[0] == kept.rsplit("$", 2)[0]


def test_a_password_that_is_too_long_is_not_even_compared(kept, checks):
    assert not verify_password("x" * (LONGEST + 1), kept)
    assert not verify_password("x" * (LONGEST + 1), None)
    assert checks == []


def test_a_password_of_the_greatest_length_is_compared_whole():
    longest = "x" * LONGEST
    kept_long = hash_password(longest)
    assert verify_password(longest, kept_long)
    assert not verify_password(longest[:-1] + "y", kept_long)


@pytest.mark.parametrize("garbage", ["", "x", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_hash_that_is_none_lets_nobody_in(garbage):
    assert not verify_password(PASSWORD, garbage)


def test_a_weaker_hash_is_to_be_made_anew(kept):
    assert not needs_rehash(kept)
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    assert verify_password(PASSWORD, weaker)
    assert needs_rehash(weaker)


# What is too weak

ABOUT = ("jean.mukamana@police.example", "Jean Mukamana", "Practice Police Unit")
# As they stand in lists of what many people use, and close to it: with a year, a sign, a capital,
# doubled, along the keyboard, with 0 for o.
COMMON = [
    "password1234",
    "Password2026!",
    "P@ssw0rd1234!",
    "passwordpassword",
    "qwertyuiop12",
    "123456789012",
    "aaaaaaaaaaaa",
    "abcdefghijkl",
    "iloveyou2026",
    "letmeinletmein",
    "monkeymonkey",
    "football2026!",
    "michaeljackson",
    "adminadmin123",
    "rwanda123456",
    "x" * 256,
]
TOLD = [
    "jean.mukamana@police.example",
    "JEAN.MUKAMANA@POLICE.EXAMPLE",
    "jeanmukamana1",
    "Mukamana-2026-Jean",
    "mukamana 1985",
    "Practice Police Unit",
    "practice-police-1",
    "nrm nrm nrm nrm",
    "NRM-Referral-Mechanism",
]
GOOD = [
    "correct horse battery staple",
    "umuganda ni ingenzi",
    "inzira ndende cyane",
    "seven-quiet-herons",
    "x9$kQ!v2mLpw",
    # Neither capitals, digits nor signs are asked for, and a name among other words is no harm.
    "quiet herons of mukamana",
    "мuraho 🙂 heron",
    "herons " * 5 + "and a lake of tea",
]


def refusal(password):
    with pytest.raises(passwords.InvalidInputError) as refused:
        passwords.hash_new(password, ABOUT)
    assert refused.value.field == "password"
    # What was typed stands in no message.
    assert not password or password not in refused.value.message
    return refused.value.message


@pytest.mark.parametrize("password", COMMON)
def test_what_many_people_use_is_refused(password):
    assert "many people use" in refusal(password)


@pytest.mark.parametrize("password", TOLD)
def test_what_others_know_of_the_account_is_refused(password):
    assert "that others know" in refusal(password)


@pytest.mark.parametrize("password", ["", "short", "elevenchars", "x" * 257])
def test_the_length_decides_first(password):
    assert "between 12 and 256" in refusal(password)


@pytest.mark.parametrize("password", GOOD)
def test_length_and_unlikely_words_are_enough(password):
    assert verify_password(password, passwords.hash_new(password, ABOUT))


def test_the_listed_passwords_that_are_long_enough_are_all_refused(counted):
    listed = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= passwords.SHORTEST]
    taken = [word for word in listed if not passwords._is_common(word)]
    counted(f"listed passwords of 12 characters and more: {len(listed)}, taken: {taken}")
    assert len(listed) > 200
    assert taken == []
