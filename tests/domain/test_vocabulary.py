from datetime import date

import pytest

from nrm.domain import vocabulary
from nrm.domain.vocabulary import Code, CodeList, Urgency, age_band, is_child, urgency

LISTS = {name: value for name, value in vars(vocabulary).items() if isinstance(value, CodeList)}
CODES = [(name, entry) for name, codes in LISTS.items() for entry in codes.values()]

# The value names of HTCDS 2.0, as its field list publishes them.
HTCDS = {
    "SEX": """Feminine Masculine TransgenderFeminine TransgenderMasculine NonConforming
        NonSpecifiedUnknown""",
    "ORGANISATION_TYPE": """NGO LawEnforcement HealthServiceOrganisation
        CentralGovernmentOrganisation LocalGovernmentOrganisation ImmigrationService LegalService
        CorporateBusiness SchoolOrCollege""",
    "INDICATOR": """PhysicalThreats ThreatsLawEnforcement ThreatensChildrenFamily DebtBondage
        FalsePromises PhysicalAbuse SexualAbuse TakesEarnings RestrictsFinancialAccess
        RestrictsMedicalCare WithholdsNecessities PsychologicalAbuse PsychoactiveSubstance
        ExcessiveWorkingHours WithholdsDocuments Other""",
    "EXPLOITATION": """ForcedLabour SexualExploitation ChildLabour ForcedMarriage Servitude
        ForcedMilitaryByNonStateActors OrganRemoval ForcedBegging ForcedAdoption Surrogacy Other""",
    "ECONOMIC_SECTOR": """A_AgricultureForestryAndFishing B_MiningAndQuarrying C_Manufacturing
        D_ElectricityGasSteamAndAirConditioningSupply E_WaterSupplySewerageWasteManagement
        F_Construction G_WholesaleAndRetailTradeRepairOfMotorVehicles H_TransportationAndStorage
        I_AccommodationAndFoodServiceActivities J_InformationAndCommunication
        K_FinancialAndInsuranceActivities L_RealEstateActivities
        M_ProfessionalScientificAndTechnicalActivities N_AdministrativeAndSupportServiceActivities
        O_PublicAdministrationAndDefence P_Education Q_HumanHealthAndSocialWorkActivities
        R_ArtsEntertainmentAndRecreation S_OtherServiceActivities
        T_ActivitiesOfHouseholdsAsEmployers U_ActivitiesOfExtraterritorialOrganizations""",
    "LANGUAGE": "kin eng fra swa run lin lug ara tir",
}
HTCDS["REFERRAL_SOURCE"] = HTCDS["ORGANISATION_TYPE"]
SPL_TYPE = """Education Financial Health LabourExploitationRehabilitation Legal Livelihood
    RightsBasedTraining SexualExploitationRehabilitation SocialCare"""
CTDC = {
    "SEX": "Man Woman Trans/Transgender/NonConforming",
    "INDICATOR": """meansDebtBondageEarnings meansThreats meansAbusePsyPhySex meansFalsePromises
        meansDrugsAlcohol meansDenyBasicNeeds meansExcessiveWorkHours meansWithholdDocs""",
    "EXPLOITATION": "isForcedLabour isSexualExploit isOtherExploit",
    "ECONOMIC_SECTOR": """typeOfLabourAgriculture typeOfLabourConstruction typeOfLabourDomesticWork
        typeOfLabourHospitality""",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_offers_each_code_once_with_words(name):
    codes = LISTS[name]
    assert codes.choices()
    assert [code for code, _ in codes.choices()] == list(codes.codes)
    assert all(label and label == label.strip() for _, label in codes.choices())
    labels = [label for _, label in codes.choices()]
    assert len(set(labels)) == len(labels), "two codes with the same words cannot be told apart"
    assert all(code in codes and codes.label(code) == label for code, label in codes.choices())


@pytest.mark.parametrize("name", sorted(set(LISTS) - {"CITIZENSHIP"}))
def test_codes_are_plain_words(name):
    for code in LISTS[name].codes:
        assert code.replace("_", "").isalnum()
        assert code == code.lower()
        assert len(code) <= 40


def test_a_code_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        CodeList(Code("a", "One"), Code("a", "Two"))


def test_an_unknown_code_has_no_words():
    assert "sheltr" not in vocabulary.NEED
    with pytest.raises(KeyError):
        vocabulary.NEED.label("sheltr")


@pytest.mark.parametrize(("name", "entry"), CODES, ids=[f"{n}-{e.code}" for n, e in CODES])
def test_counterparts_exist_in_the_standards(name, entry):
    if entry.htcds is not None and name != "CITIZENSHIP":
        assert entry.htcds in HTCDS[name].split()
    if entry.ctdc is not None and name != "CITIZENSHIP":
        assert entry.ctdc in CTDC[name].split()
    if entry.spl_type is not None:
        assert entry.spl_type in SPL_TYPE.split()


@pytest.mark.parametrize("code", sorted(set(vocabulary.CITIZENSHIP) - {"other", "unknown"}))
def test_a_citizenship_has_both_country_codes(code):
    entry = vocabulary.CITIZENSHIP[code]
    assert (len(entry.htcds), len(entry.ctdc)) == (2, 3)
    assert entry.htcds == code
    assert entry.ctdc.isupper()


def test_every_value_of_exploitation_can_be_exported():
    exported = {entry.htcds for entry in vocabulary.EXPLOITATION.values()} - {None}
    assert exported == set(HTCDS["EXPLOITATION"].split())


def test_every_sex_can_be_exported():
    assert all(entry.htcds for entry in vocabulary.SEX.values())


def test_every_need_has_a_kind_of_support_plan():
    assert all(entry.spl_type for entry in vocabulary.NEED.values())


def test_every_sign_speaks_to_a_dimension():
    dimensions = {"D1", "D2", "D3", "D4", "D5", "D6"}
    assert 12 <= len(vocabulary.INDICATOR) <= 14
    assert all(entry.dimension in dimensions for entry in vocabulary.INDICATOR.values())


def test_only_the_media_purpose_is_always_off():
    assert len(vocabulary.CONSENT_PURPOSE) == 11
    off = [entry.code for entry in vocabulary.CONSENT_PURPOSE.values() if entry.always_off]
    assert off == ["media"]


def test_closing_by_transfer_is_closed_referred():
    referred = {e.code for e in vocabulary.CLOSURE_REASON.values() if e.closed_referred}
    assert referred == {"moved_abroad", "transferred"}


def test_consent_is_not_an_exception_to_consent():
    assert "consent" not in vocabulary.CONSENT_EXCEPTION


@pytest.mark.parametrize(
    ("birth_date", "on", "band", "child"),
    [
        (date(2026, 11, 23), date(2026, 11, 23), "under_12", True),  # born today
        (date(2014, 11, 24), date(2026, 11, 23), "under_12", True),  # 12 tomorrow
        (date(2014, 11, 23), date(2026, 11, 23), "12_15", True),  # 12 today
        (date(2010, 11, 24), date(2026, 11, 23), "12_15", True),
        (date(2010, 11, 23), date(2026, 11, 23), "16_17", True),
        (date(2008, 11, 24), date(2026, 11, 23), "16_17", True),  # 18 tomorrow
        (date(2008, 11, 23), date(2026, 11, 23), "18_24", False),  # 18 today
        (date(2008, 2, 29), date(2026, 2, 28), "16_17", True),  # born on a leap day
        (date(2008, 2, 29), date(2026, 3, 1), "18_24", False),
        (date(2001, 11, 23), date(2026, 11, 23), "25_34", False),
        (date(1991, 11, 23), date(2026, 11, 23), "35_44", False),
        (date(1981, 11, 23), date(2026, 11, 23), "45_plus", False),
        (date(1926, 1, 1), date(2026, 11, 23), "45_plus", False),
    ],
)
def test_age_bands(birth_date, on, band, child):
    assert age_band(birth_date, on) == band
    assert is_child(band) is child


def test_nobody_is_born_tomorrow():
    with pytest.raises(ValueError, match="birth date"):
        age_band(date(2026, 11, 24), date(2026, 11, 23))


def test_an_unknown_age_is_not_taken_for_a_child_and_a_wrong_band_is_refused():
    assert is_child("unknown") is False
    with pytest.raises(KeyError):
        is_child("17")


@pytest.mark.parametrize(
    ("risk", "needs", "band", "rank"),
    [
        ("danger_now", [], "25_34", Urgency.IMMEDIATE),
        ("reachable_tonight", [], "25_34", Urgency.IMMEDIATE),
        ("none", ["medical_emergency"], "25_34", Urgency.IMMEDIATE),
        ("none", ["transport", "medical_emergency"], "16_17", Urgency.IMMEDIATE),
        ("unsure", [], "25_34", Urgency.HIGH),
        ("none", [], "16_17", Urgency.HIGH),
        ("none", ["emergency_shelter"], "25_34", Urgency.NORMAL),
        ("none", [], "unknown", Urgency.NORMAL),
    ],
)
def test_urgency(risk, needs, band, rank):
    assert urgency(risk, needs, band) is rank


def test_every_answer_about_risk_has_a_rank():
    assert all(entry.urgency is not None for entry in vocabulary.IMMEDIATE_RISK.values())


def test_ranks_have_words():
    assert [rank.label for rank in sorted(Urgency)] == ["Immediate", "High", "Normal"]


@pytest.mark.parametrize(
    ("band", "under_16"),
    [("under_12", True), ("12_15", True), ("16_17", False), ("18_24", False), ("unknown", False)],
)
def test_who_is_under_the_age_of_consent_to_data(band, under_16):
    assert vocabulary.is_under_16(band) is under_16
