import collections
import dataclasses
from datetime import date, timedelta

import pytest

from nrm.country import load, pack
from nrm.country.demonstration import load_demonstration
from nrm.country.files import UnknownCountryError
from nrm.domain import vocabulary
from nrm.domain.roles import HUMAN_ROLES
from nrm.domain.vocabulary import Urgency

# District code, district, number of sectors.
DISTRICTS = {
    "Kigali": "11 Nyarugenge 10, 12 Gasabo 15, 13 Kicukiro 10",
    "Southern": """21 Nyanza 10, 22 Gisagara 13, 23 Nyaruguru 14, 24 Huye 14, 25 Nyamagabe 17,
        26 Ruhango 9, 27 Muhanga 12, 28 Kamonyi 12""",
    "Western": """31 Karongi 13, 32 Rutsiro 13, 33 Rubavu 12, 34 Nyabihu 12, 35 Ngororero 13,
        36 Rusizi 18, 37 Nyamasheke 15""",
    "Northern": "41 Rulindo 17, 42 Gakenke 19, 43 Musanze 15, 44 Burera 17, 45 Gicumbi 21",
    "Eastern": """51 Rwamagana 14, 52 Nyagatare 14, 53 Gatsibo 14, 54 Kayonza 12, 55 Kirehe 12,
        56 Ngoma 14, 57 Bugesera 15""",
}
ROWS = [
    (province, *entry.split()) for province, line in DISTRICTS.items() for entry in line.split(",")
]


@pytest.fixture
def rwanda():
    return load("rw")


@pytest.fixture
def world():
    return load_demonstration("rw")


@pytest.mark.parametrize(("province", "code", "district", "count"), ROWS)
def test_a_district_has_its_sectors(rwanda, province, code, district, count):
    assert rwanda.districts[code] == district
    assert rwanda.province(code) == province
    assert code in rwanda.provinces[province]
    assert len(rwanda.sectors(code)) == int(count)


def test_every_place_is_there_once(rwanda):
    pairs = [(code, sector) for code in rwanda.districts for sector in rwanda.sectors(code)]
    assert (len(rwanda.provinces), len(rwanda.districts), len(pairs)) == (5, 30, 416)
    assert len(set(pairs)) == 416
    assert all(sector and sector == sector.strip() for _, sector in pairs)


def test_a_sector_is_named_with_its_district(rwanda):
    names = collections.Counter(s for code in rwanda.districts for s in rwanda.sectors(code))
    assert len(names) == 379
    assert names["Remera"] == 4
    assert rwanda.has_sector("57", "Nyarugenge")
    assert not rwanda.has_sector("12", "Nyarugenge")
    assert not rwanda.has_sector("99", "Remera")


def test_every_district_has_one_square_of_the_map(rwanda):
    assert sorted(tile.district for tile in rwanda.tiles) == sorted(rwanda.districts)
    assert len({(tile.column, tile.row) for tile in rwanda.tiles}) == 30
    assert {tile.column for tile in rwanda.tiles} == set(range(7))
    assert {tile.row for tile in rwanda.tiles} == set(range(6))


def test_a_square_has_room_for_three_letters_of_its_own(rwanda):
    assert len({tile.short for tile in rwanda.tiles}) == 30
    for tile in rwanda.tiles:
        assert len(tile.short) == 3
        assert tile.short[0] == rwanda.districts[tile.district][0]


def test_a_pack_is_read_once_and_cannot_be_changed(rwanda):
    assert load("rw") is rwanda
    with pytest.raises(TypeError):
        rwanda.districts["11"] = "Elsewhere"
    with pytest.raises(dataclasses.FrozenInstanceError):
        rwanda.name = "Elsewhere"


@pytest.mark.parametrize("code", ["xx", "", "RW", "..", "rw/", "../rw", "rw\x00"])
def test_only_the_code_of_a_pack_is_a_pack(code):
    with pytest.raises(UnknownCountryError):
        load(code)


def test_the_pack_speaks_the_words_of_the_mechanism(rwanda):
    assert all(language in vocabulary.LANGUAGE for language in rwanda.languages)
    assert all(line.service in vocabulary.HOTLINE_SERVICE for line in rwanda.hotlines)
    assert all(one.type in vocabulary.ORGANISATION_TYPE for one in rwanda.institutions)
    assert any(one.may_flag for one in rwanda.institutions)
    assert len({one.key for one in rwanda.institutions}) == len(rwanda.institutions)


def test_the_foot_of_the_page_shows_police_and_child_helpline(rwanda):
    assert [line.number for line in rwanda.shown_hotlines()] == ["112", "116"]


def test_the_clocks_are_those_agreed(rwanda):
    def hours(by_urgency):
        return [by_urgency[rank].length / timedelta(hours=1) for rank in Urgency]

    assert hours(rwanda.clocks.flag_review) == [1, 24, 72]
    assert hours(rwanda.clocks.answer) == [4, 24, 72]
    assert rwanda.clocks.reflection.length == timedelta(days=30)


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (date(2026, 11, 23), True),  # an ordinary Monday
        (date(2026, 11, 21), False),  # a Saturday
        (date(2026, 4, 7), False),  # memorial day
        (date(2026, 7, 1), False),  # independence
        (date(2031, 12, 25), False),  # a year that nobody asked for in advance
    ],
)
def test_offices_close_on_public_holidays(rwanda, day, open_):
    assert str(rwanda.zone) == "Africa/Kigali"
    assert rwanda.calendar.is_working_day(day) is open_


def test_the_population_has_groups_that_add_up(rwanda):
    count = {one.key: one.count for one in rwanda.population}
    assert count["all"] == count["female"] + count["male"]
    assert {one.of for one in rwanda.population} == {
        frozenset(),
        *(frozenset({("sex", code)}) for code in ("female", "male")),
        *(frozenset({("age", code)}) for code in ("child", "adult")),
    }
    for one in rwanda.population:
        assert one.source
        assert one.count is None or one.count > 0


def test_what_is_not_verified_is_listed(rwanda):
    listed = {(one.file, one.item) for one in rwanda.unverified()}
    assert {("hotlines.toml", f"hotline {line.number}") for line in rwanda.hotlines} <= listed
    assert {
        ("country.toml", "places"),
        ("country.toml", "calendar"),
        ("clocks.toml", "reflection"),
        ("clocks.toml", "answer immediate"),
        ("institutions.toml", "institution rib"),
        ("population.toml", "residents child"),
    } <= listed
    assert all(one.source for one in rwanda.unverified())
    assert len(listed) == len(rwanda.unverified())


# The practice world.


def test_everyone_in_the_practice_world_is_plainly_invented(world):
    assert all(one.name.startswith("Practice ") for one in world.organisations)
    assert all(one.name.endswith(" (practice)") for one in world.accounts)
    assert all(one.email.endswith("@practice.example") for one in world.accounts)
    assert all(
        len(one.password) >= 15 and one.password.startswith("practice-") for one in world.accounts
    )


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ("organisations", "code"),
        ("organisations", "name"),
        ("accounts", "key"),
        ("accounts", "name"),
        ("accounts", "email"),
        ("accounts", "password"),
        ("listings", "organisation"),
    ],
)
def test_nobody_stands_twice(world, rows, key):
    values = [getattr(row, key) for row in getattr(world, rows)]
    assert len(set(values)) == len(values)


def test_every_role_has_its_people(world):
    roles = collections.Counter(one.role for one in world.accounts)
    assert set(roles) == set(HUMAN_ROLES)
    assert roles == {
        "first_responder": 2,
        "coordinator": 3,
        "decision_maker": 2,
        "provider": 5,
        "directory_manager": 2,
        "analyst": 2,
        "auditor": 1,
        "administrator": 2,
        "organisation_administrator": 1,
    }
    responders = [one for one in world.accounts if one.role == "first_responder"]
    assert len({one.organisation for one in responders}) == 2


def test_people_and_listings_belong_to_organisations(world, rwanda):
    organisations = {one.code: one for one in world.organisations}
    assert all(one.type in vocabulary.ORGANISATION_TYPE for one in world.organisations)
    assert all(one.district in rwanda.districts for one in world.organisations)
    for one in world.accounts:
        if one.role != "organisation_administrator":
            assert organisations[one.organisation].is_provider is (one.role == "provider")
    assert {one.organisation for one in world.listings} == {
        one.code for one in world.organisations if one.is_provider
    }


def test_listings_offer_what_the_mechanism_knows(world):
    for one in world.listings:
        assert one.services
        assert set(one.services) <= set(vocabulary.NEED)
        assert set(one.sexes) <= set(vocabulary.SEX)
        assert set(one.age_bands) <= set(vocabulary.AGE_BAND)
        assert set(one.languages) <= set(vocabulary.LANGUAGE)
        assert one.places > 0


def test_a_listing_is_approved_by_another_manager(world):
    managers = {one.key for one in world.accounts if one.role == "directory_manager"}
    for one in world.listings:
        assert one.submitted_by in managers
        if one.state == "submitted":
            assert (one.approved_by, one.approved_days) == (None, None)
        else:
            assert one.approved_by in managers - {one.submitted_by}


def test_listings_stand_in_every_way(world):
    approved = [one for one in world.listings if one.state == "approved"]
    current = [one for one in approved if one.approved_days > 0]
    states = collections.Counter(one.state for one in world.listings)
    assert (len(current), len(approved) - len(current)) == (8, 1)
    assert (states["submitted"], states["suspended"]) == (1, 1)
    offered = {service for one in current for service in one.services}
    assert {
        "emergency_shelter",
        "medical_emergency",
        "psychosocial_counselling",
        "legal_representation",
    } <= offered


def test_people_were_found_in_every_district_and_at_the_borders(world, rwanda):
    assert set(world.history.districts) == set(rwanda.districts)
    assert set(world.history.borders) < set(rwanda.districts)
    assert min(world.history.districts.values()) > 0


def test_a_clock_without_a_length_is_refused():
    with pytest.raises(ValueError, match="hours or days"):
        pack._clock({"verified": False, "source": "this test"})
