"""Codes of an app and codes on paper, as bytes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from nrm.security import second_factor as codes

# The seed and the codes of RFC 6238, appendix B, shortened to six digits.
RFC_SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
}


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES.items())
def test_the_codes_are_those_of_the_standard(seconds, code):
    now = datetime.fromtimestamp(seconds, UTC)
    assert codes.code_at(RFC_SEED, codes.step_of(now)) == code
    assert codes.step_for(RFC_SEED, code, now) == seconds // 30


@pytest.mark.parametrize(
    ("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_clock_may_be_one_step_off(steps, taken):
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    typed = codes.code_at(RFC_SEED, codes.step_of(now) + steps)
    assert (codes.step_for(RFC_SEED, typed, now) is not None) == taken
    assert codes.clock_is_off(RFC_SEED, typed, now)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "½½½½½½", "١٢٣٤٥٦", "\x00"])
def test_what_is_no_code_is_no_code(typed):
    assert codes.step_for(RFC_SEED, typed, datetime.now(UTC)) is None


def test_a_code_is_taken_however_it_is_spaced():
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    code = codes.code_at(RFC_SEED, codes.step_of(now))
    assert codes.step_for(RFC_SEED, f" {code[:3]} {code[3:]}\n", now) is not None


def test_seeds_and_paper_codes_are_random_and_long():
    seeds = {codes.new_seed() for _ in range(500)}
    assert len(seeds) == 500
    assert {len(seed) for seed in seeds} == {32}
    papers = {codes.new_recovery_code() for _ in range(500)}
    assert len(papers) == 500
    assert {len(code) for code in papers} == {14}
    assert not set("OIL") & set("".join(papers))


def test_a_paper_code_is_read_as_people_write_it():
    whose = uuid4()
    right = codes.recovery_hash(whose, "A0B1-C2D3-E4F5")
    for typed in ("a0b1c2d3e4f5", " aObl c2d3 e4f5 ", "AOBI-C2D3-E4F5", "a0b1.c2d3.e4f5"):
        assert codes.recovery_hash(whose, typed) == right
    assert codes.recovery_hash(uuid4(), "A0B1-C2D3-E4F5") != right
    assert codes.recovery_hash(whose, "A0B1-C2D3-E4F6") != right


def test_the_address_for_the_camera_names_the_account_and_nothing_else():
    told = codes.address_of(RFC_SEED, "someone@practice.example", "Practice")
    assert told.startswith("otpauth://totp/Practice:someone%40practice.example?secret=")
    assert timedelta(seconds=30) == codes.STEP
