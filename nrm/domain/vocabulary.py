"""The code lists of the mechanism, each code with its counterpart in the standards that we export.

HTCDS is the Human Trafficking Case Data Standard 2.0 (IOM, CC BY 4.0), CTDC the codebook of the
Counter-Trafficking Data Collaborative, IC-TIP the UN classification of 2025. The codes and the
words are ours. The IC-TIP categories are known to us from a draft only, so an export that uses
them must say so until someone has read the endorsed text.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from nrm.domain.text import N_


class Urgency(IntEnum):
    """How long a person can wait for the next step; the lower rank goes first."""

    IMMEDIATE = 0
    HIGH = 1
    NORMAL = 2

    @property
    def label(self) -> str:
        """Say the rank in words."""
        return URGENCY[self]


URGENCY: Mapping[Urgency, str] = {
    Urgency.IMMEDIATE: N_("Immediate"),
    Urgency.HIGH: N_("High"),
    Urgency.NORMAL: N_("Normal"),
}


@dataclass(frozen=True, slots=True)
class Code:
    """One answer that can be recorded, the words that people read, and its counterparts."""

    code: str
    label: str
    htcds: str | None = None
    ctdc: str | None = None
    ic_tip: str | None = None
    # The counterpart in HTCDS spl_Type, for needs and the services that meet them.
    spl_type: str | None = None
    # The dimension (D1 to D6) of the ILO operational indicators that a sign speaks to.
    dimension: str | None = None
    # What this answer does to the order of the queue.
    urgency: Urgency | None = None
    # True where closing for this reason is `ClosedReferred` in HTCDS, not `Closed`.
    closed_referred: bool = False
    # True for a purpose that nobody can be asked to agree to.
    always_off: bool = False


class CodeList(Mapping[str, Code]):
    """A closed list of codes in the order in which people read it."""

    def __init__(self, *codes: Code) -> None:
        """Refuse a code that stands twice, because the second would silently win."""
        self._by_code = {code.code: code for code in codes}
        if len(self._by_code) != len(codes):
            raise ValueError("a code stands twice in one list")

    def __getitem__(self, code: str) -> Code:
        """Return the entry of a code."""
        return self._by_code[code]

    def __iter__(self) -> Iterator[str]:
        """Walk the codes in reading order."""
        return iter(self._by_code)

    def __len__(self) -> int:
        """Count the codes."""
        return len(self._by_code)

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes in reading order."""
        return tuple(self._by_code)

    def choices(self) -> list[tuple[str, str]]:
        """Return (code, label) pairs, as a form offers them."""
        return [(entry.code, entry.label) for entry in self._by_code.values()]

    def label(self, code: str) -> str:
        """Say a code in words."""
        return self._by_code[code].label


_TRANS = "Trans/Transgender/NonConforming"

SEX = CodeList(
    Code("female", N_("Female"), htcds="Feminine", ctdc="Woman"),
    Code("male", N_("Male"), htcds="Masculine", ctdc="Man"),
    Code("other", N_("Other"), htcds="NonConforming", ctdc=_TRANS),
    Code("unknown", N_("Not known"), htcds="NonSpecifiedUnknown"),
)

# The bands of CTDC are cut at other ages, so an export must start from the birth date.
AGE_BAND = CodeList(
    Code("under_12", N_("Under 12")),
    Code("12_15", N_("12 to 15")),
    Code("16_17", N_("16 or 17")),
    Code("18_24", N_("18 to 24")),
    Code("25_34", N_("25 to 34")),
    Code("35_44", N_("35 to 44")),
    Code("45_plus", N_("45 or older")),
    Code("unknown", N_("Not known")),
)

_UPPER_AGES = (
    (11, "under_12"),
    (15, "12_15"),
    (17, "16_17"),
    (24, "18_24"),
    (34, "25_34"),
    (44, "35_44"),
)
_CHILD_BANDS = frozenset({"under_12", "12_15", "16_17"})
_UNDER_16_BANDS = frozenset({"under_12", "12_15"})


def age_band(birth_date: date, on: date) -> str:
    """Say which age band a person born on a date is in on a day."""
    if birth_date > on:
        raise ValueError("a birth date after the day in question has no age band")
    age = on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))
    return next((band for upper, band in _UPPER_AGES if age <= upper), "45_plus")


def is_child(band: str) -> bool:
    """Say whether a band lies under 18; "not known" alone does not make an adult a child."""
    return AGE_BAND[band].code in _CHILD_BANDS


def is_under_16(band: str) -> bool:
    """Say whether the holder of parental responsibility consents (law 058/2021 art. 9)."""
    return AGE_BAND[band].code in _UNDER_16_BANDS


def _country(alpha_2: str, alpha_3: str, label: str) -> Code:
    """HTCDS writes a citizenship with two letters, CTDC with three."""
    return Code(alpha_2, label, htcds=alpha_2, ctdc=alpha_3)


CITIZENSHIP = CodeList(
    _country("RW", "RWA", N_("Rwanda")),
    _country("BI", "BDI", N_("Burundi")),
    _country("CD", "COD", N_("Democratic Republic of the Congo")),
    _country("UG", "UGA", N_("Uganda")),
    _country("TZ", "TZA", N_("Tanzania")),
    _country("KE", "KEN", N_("Kenya")),
    _country("CN", "CHN", N_("China")),
    _country("CG", "COG", N_("Congo")),
    _country("ER", "ERI", N_("Eritrea")),
    _country("ET", "ETH", N_("Ethiopia")),
    _country("IN", "IND", N_("India")),
    _country("MW", "MWI", N_("Malawi")),
    _country("MZ", "MOZ", N_("Mozambique")),
    _country("NG", "NGA", N_("Nigeria")),
    _country("PK", "PAK", N_("Pakistan")),
    _country("SO", "SOM", N_("Somalia")),
    _country("ZA", "ZAF", N_("South Africa")),
    _country("SS", "SSD", N_("South Sudan")),
    _country("SD", "SDN", N_("Sudan")),
    _country("ZM", "ZMB", N_("Zambia")),
    _country("ZW", "ZWE", N_("Zimbabwe")),
    Code("other", N_("Another country, or none")),
    Code("unknown", N_("Not known")),
)

# HTCDS takes the three letters of ISO 639-2 as they are.
LANGUAGE = CodeList(
    Code("kin", N_("Kinyarwanda"), htcds="kin"),
    Code("eng", N_("English"), htcds="eng"),
    Code("fra", N_("French"), htcds="fra"),
    Code("swa", N_("Swahili"), htcds="swa"),
    Code("run", N_("Kirundi"), htcds="run"),
    Code("lin", N_("Lingala"), htcds="lin"),
    Code("lug", N_("Luganda"), htcds="lug"),
    Code("ara", N_("Arabic"), htcds="ara"),
    Code("tir", N_("Tigrinya"), htcds="tir"),
    Code("other", N_("Another language")),
    Code("unknown", N_("Not known")),
)

# The kind of organisation that an account works for, with its org_Type.
ORGANISATION_TYPE = CodeList(
    Code("police", N_("Police"), htcds="LawEnforcement"),
    Code("investigation", N_("Criminal investigation"), htcds="LawEnforcement"),
    Code("border", N_("Immigration or border service"), htcds="ImmigrationService"),
    Code("labour_inspection", N_("Labour inspection"), htcds="CentralGovernmentOrganisation"),
    Code("prosecution", N_("Prosecution"), htcds="LegalService"),
    Code("court", N_("Court"), htcds="LegalService"),
    Code("ministry", N_("Ministry or national agency"), htcds="CentralGovernmentOrganisation"),
    Code("local_authority", N_("Local authority"), htcds="LocalGovernmentOrganisation"),
    Code("child_protection", N_("Child protection"), htcds="CentralGovernmentOrganisation"),
    Code("one_stop_centre", N_("One stop centre"), htcds="HealthServiceOrganisation"),
    Code("health_facility", N_("Health facility"), htcds="HealthServiceOrganisation"),
    Code("shelter", N_("Shelter"), htcds="NGO"),
    Code("legal_aid", N_("Legal aid"), htcds="LegalService"),
    Code("school", N_("School or training centre"), htcds="SchoolOrCollege"),
    Code("refugee_camp", N_("Refugee camp")),
    Code("transit_centre", N_("Transit or rehabilitation centre")),
    Code("embassy", N_("Embassy or consulate"), htcds="CentralGovernmentOrganisation"),
    Code("ngo", N_("Non-governmental organisation"), htcds="NGO"),
    Code("international_organisation", N_("International organisation")),
    Code("other", N_("Another kind of organisation")),
)

# Why an account is disabled; the last is said by housekeeping alone.
DISABLING = CodeList(
    Code("left", N_("The person no longer works here")),
    Code("taken_over", N_("Somebody else may be using the account")),
    Code("on_leave", N_("A long leave, or another pause")),
    Code("dormant", N_("Nobody signed in for a long time")),
)

# Who brought the person to the mechanism, with the org_Type of the referring organisation.
REFERRAL_SOURCE = CodeList(
    Code("self", N_("The person themselves")),
    Code("family_or_community", N_("Family or community")),
    Code("hotline", N_("Hotline")),
    Code("investigation", N_("Criminal investigation"), htcds="LawEnforcement"),
    Code("police", N_("Police"), htcds="LawEnforcement"),
    Code("border", N_("Immigration or border service"), htcds="ImmigrationService"),
    Code("labour_inspection", N_("Labour inspector"), htcds="CentralGovernmentOrganisation"),
    Code("prosecution", N_("Prosecutor"), htcds="LegalService"),
    Code("court", N_("Court"), htcds="LegalService"),
    Code(
        "health_facility",
        N_("Health facility or one stop centre"),
        htcds="HealthServiceOrganisation",
    ),
    Code("school", N_("School"), htcds="SchoolOrCollege"),
    Code("local_authority", N_("Local authority"), htcds="LocalGovernmentOrganisation"),
    Code("child_protection_volunteer", N_("Child protection volunteer")),
    Code("refugee_camp", N_("Refugee camp or its partners")),
    Code("transit_centre", N_("Screening in a transit or rehabilitation centre")),
    Code("embassy", N_("Embassy or consulate"), htcds="CentralGovernmentOrganisation"),
    Code("ngo", N_("Non-governmental organisation"), htcds="NGO"),
    Code("international_organisation", N_("International organisation")),
    Code("transport_operator", N_("Transport operator"), htcds="CorporateBusiness"),
    Code("other", N_("Someone else")),
)

IDENTIFICATION_PLACE = CodeList(
    Code("border_post", N_("Border post")),
    Code("airport", N_("Airport")),
    Code("workplace", N_("Workplace")),
    Code("private_home", N_("Private home")),
    Code("hotel_or_bar", N_("Hotel or bar")),
    Code("street", N_("Street or public place")),
    Code("transit_centre", N_("Transit or rehabilitation centre")),
    Code("refugee_camp", N_("Refugee camp")),
    Code("police_station", N_("Police station")),
    Code("health_facility", N_("Health facility")),
    Code("school", N_("School")),
    Code("abroad", N_("Abroad")),
    Code("other", N_("Another place")),
    Code("unknown", N_("Not known")),
)

# A short card for the first meeting, in our own words, after the themes of the ILO indicators of
# forced labour and the UNODC lists. A tick is something seen or heard; nothing here decides.
# HTCDS has no value for restricted movement, so it leaves as `Other`; CTDC has one.
INDICATOR = CodeList(
    Code(
        "cannot_leave",
        N_("Cannot leave, or is watched or locked in"),
        htcds="Other",
        ctdc="meansDenyBasicNeeds",
        dimension="D5",
    ),
    Code(
        "papers_kept",
        N_("Someone else keeps their identity papers"),
        htcds="WithholdsDocuments",
        ctdc="meansWithholdDocs",
        dimension="D5",
    ),
    Code(
        "others_speak", N_("Others answer for the person, or told them what to say"), dimension="D5"
    ),
    Code(
        "hurt",
        N_("Shows injuries, or says that someone hurt them"),
        htcds="PhysicalAbuse",
        ctdc="meansAbusePsyPhySex",
        dimension="D5",
    ),
    Code(
        "threatened",
        N_("The person or their family has been threatened"),
        htcds="PhysicalThreats",
        ctdc="meansThreats",
        dimension="D5",
    ),
    Code(
        "fears_authorities",
        N_("Was told that the police or border officers would punish them"),
        htcds="ThreatsLawEnforcement",
        ctdc="meansThreats",
        dimension="D5",
    ),
    Code(
        "sexual_acts",
        N_("Is pressed or forced into sexual acts"),
        htcds="SexualAbuse",
        ctdc="meansAbusePsyPhySex",
        dimension="D5",
    ),
    Code(
        "deceived",
        N_("The job, the pay, the school or the journey was not what was promised"),
        htcds="FalsePromises",
        ctdc="meansFalsePromises",
        dimension="D1",
    ),
    Code(
        "pay_withheld",
        N_("Gets little or no pay, or someone takes it"),
        htcds="TakesEarnings",
        ctdc="meansDebtBondageEarnings",
        dimension="D5",
    ),
    Code(
        "debt",
        N_("Must work to pay off a debt"),
        htcds="DebtBondage",
        ctdc="meansDebtBondageEarnings",
        dimension="D5",
    ),
    Code(
        "long_hours",
        N_("Works very long hours, with few or no days off"),
        htcds="ExcessiveWorkingHours",
        ctdc="meansExcessiveWorkHours",
        dimension="D4",
    ),
    Code(
        "poor_conditions",
        N_("Goes without enough food, sleep, care or a decent place to stay"),
        htcds="WithholdsNecessities",
        ctdc="meansDenyBasicNeeds",
        dimension="D4",
    ),
    Code(
        "cut_off",
        N_("Is kept from family and friends, or does not know where they are"),
        dimension="D6",
    ),
    Code(
        "child_alone",
        N_("Is a child without parents, school or play, or with unrelated adults"),
        dimension="D3",
    ),
)

EXPLOITATION = CodeList(
    Code(
        "forced_labour",
        N_("Forced labour"),
        htcds="ForcedLabour",
        ctdc="isForcedLabour",
        ic_tip="forced labour or services",
    ),
    Code(
        "sexual_exploitation",
        N_("Sexual exploitation"),
        htcds="SexualExploitation",
        ctdc="isSexualExploit",
        ic_tip="sexual exploitation",
    ),
    Code(
        "child_labour",
        N_("Child labour"),
        htcds="ChildLabour",
        ctdc="isForcedLabour",
        ic_tip="forced labour or services",
    ),
    Code(
        "forced_marriage",
        N_("Forced marriage"),
        htcds="ForcedMarriage",
        ctdc="isOtherExploit",
        ic_tip="forced marriage",
    ),
    Code(
        "servitude",
        N_("Servitude, also in a private home"),
        htcds="Servitude",
        ctdc="isForcedLabour",
        ic_tip="servitude",
    ),
    Code(
        "armed_group",
        N_("Use by an armed group"),
        htcds="ForcedMilitaryByNonStateActors",
        ctdc="isOtherExploit",
        ic_tip="recruitment of child soldiers or armed groups",
    ),
    Code(
        "organ_removal",
        N_("Removal of an organ"),
        htcds="OrganRemoval",
        ctdc="isOtherExploit",
        ic_tip="organ removal",
    ),
    Code(
        "forced_begging",
        N_("Forced begging"),
        htcds="ForcedBegging",
        ctdc="isForcedLabour",
        ic_tip="forced begging",
    ),
    Code(
        "forced_adoption",
        N_("Forced or illegal adoption"),
        htcds="ForcedAdoption",
        ctdc="isOtherExploit",
        ic_tip="illegal adoption",
    ),
    Code(
        "surrogacy",
        N_("Exploitative surrogacy"),
        htcds="Surrogacy",
        ctdc="isOtherExploit",
        ic_tip="exploitative surrogacy",
    ),
    Code("other", N_("Another form"), htcds="Other", ctdc="isOtherExploit", ic_tip="other"),
    Code("unknown", N_("Not known"), ic_tip="unknown"),
)

# In, from, to or through the country that runs the mechanism.
TRAFFICKING_FLOW = CodeList(
    Code("internal", N_("Inside the country")),
    Code("outbound", N_("From this country to another")),
    Code("inbound", N_("From another country to this one")),
    Code("transit", N_("Through this country")),
    Code("unknown", N_("Not known")),
)

# In what work a person was exploited: sections of the UN's industrial classification (ISIC), with
# homes and begging apart, because they are what is seen most.
ECONOMIC_SECTOR = CodeList(
    Code(
        "agriculture",
        N_("Farming, forestry, fishing"),
        htcds="A_AgricultureForestryAndFishing",
    ),
    Code("mining", N_("Mines and quarries"), htcds="B_MiningAndQuarrying"),
    Code("manufacturing", N_("Factories and workshops"), htcds="C_Manufacturing"),
    Code(
        "construction",
        N_("Building sites"),
        htcds="F_Construction",
        ctdc="typeOfLabourConstruction",
    ),
    Code(
        "hospitality",
        N_("Hotels, bars, restaurants"),
        htcds="I_AccommodationAndFoodServiceActivities",
        ctdc="typeOfLabourHospitality",
    ),
    Code(
        "trade",
        N_("Markets, shops, hawking"),
        htcds="G_WholesaleAndRetailTradeRepairOfMotorVehicles",
    ),
    Code("transport", N_("Transport"), htcds="H_TransportationAndStorage"),
    Code(
        "domestic_work",
        N_("A private home"),
        htcds="T_ActivitiesOfHouseholdsAsEmployers",
        ctdc="typeOfLabourDomesticWork",
    ),
    Code("online", N_("Work or fraud over the internet")),
    Code("begging", N_("Begging")),
    Code("other", N_("Other work")),
)

REFUGEE_STATUS = CodeList(
    Code("none", N_("Neither a refugee nor an asylum seeker")),
    Code("refugee", N_("A refugee")),
    Code("asylum_seeker", N_("An asylum seeker")),
)

IMMEDIATE_RISK = CodeList(
    Code("danger_now", N_("No, they are in danger now"), urgency=Urgency.IMMEDIATE),
    Code(
        "reachable_tonight",
        N_("No, someone could reach them tonight"),
        urgency=Urgency.IMMEDIATE,
    ),
    Code("unsure", N_("I am not sure"), urgency=Urgency.HIGH),
    Code("none", N_("Yes, for now"), urgency=Urgency.NORMAL),
)

# What a person needs and what a provider offers are the same list, so that the two can meet.
NEED = CodeList(
    Code("immediate_needs", N_("Food, clothes and hygiene items"), spl_type="SocialCare"),
    Code("emergency_shelter", N_("Emergency shelter"), spl_type="SocialCare"),
    Code("longer_term_accommodation", N_("Longer-term accommodation"), spl_type="SocialCare"),
    Code(
        "medical_emergency",
        N_("Emergency medical care"),
        spl_type="Health",
        urgency=Urgency.IMMEDIATE,
    ),
    Code("medical_examination", N_("First or forensic medical examination"), spl_type="Health"),
    Code(
        "sexual_health",
        N_("Sexual and reproductive health, HIV prevention and care"),
        spl_type="Health",
    ),
    Code("psychosocial_counselling", N_("Psychosocial counselling"), spl_type="Health"),
    Code("mental_health", N_("Mental health specialist"), spl_type="Health"),
    Code("legal_information", N_("Legal information"), spl_type="Legal"),
    Code("legal_representation", N_("Legal aid and representation"), spl_type="Legal"),
    Code("interpretation", N_("Interpretation or translation"), spl_type="SocialCare"),
    Code("protection", N_("Witness or physical protection"), spl_type="Legal"),
    Code("safety_planning", N_("Safety planning"), spl_type="SocialCare"),
    Code("documents", N_("Documents, legal stay or consular help"), spl_type="Legal"),
    Code("family_tracing", N_("Family tracing"), spl_type="SocialCare"),
    Code("family_reunification", N_("Family reunification or mediation"), spl_type="SocialCare"),
    Code("guardian_appointment", N_("A guardian for a child"), spl_type="Legal"),
    Code("alternative_care", N_("Alternative care for a child"), spl_type="SocialCare"),
    Code("education", N_("School or education"), spl_type="Education"),
    Code("vocational_training", N_("Vocational and skills training"), spl_type="Education"),
    Code("livelihood", N_("Livelihood or a small grant to start work"), spl_type="Livelihood"),
    Code("job_placement", N_("Finding a job"), spl_type="Livelihood"),
    Code("financial_assistance", N_("Money for living costs"), spl_type="Financial"),
    Code("disability_support", N_("Support with a disability"), spl_type="Health"),
    Code("childcare", N_("Childcare"), spl_type="SocialCare"),
    Code("transport", N_("Transport"), spl_type="SocialCare"),
    Code("voluntary_return", N_("Voluntary return"), spl_type="SocialCare"),
    Code("reintegration", N_("Reintegration package"), spl_type="Livelihood"),
    Code("compensation_claim", N_("Help with a claim for compensation"), spl_type="Legal"),
    Code("follow_up", N_("Follow-up visits"), spl_type="SocialCare"),
    Code("other", N_("Something else"), spl_type="SocialCare"),
)

# A referral asks for help, and the standard has one reason for that.
DECLINE_REASON = CodeList(
    Code("no_capacity", N_("No room or no capacity")),
    Code("outside_mandate", N_("Outside what we do")),
    Code("sex_or_age_not_served", N_("We do not serve this sex or age")),
    Code("area_not_covered", N_("We do not work in this area")),
    Code("security_risk", N_("Not safe for the person here")),
    Code("no_language", N_("No one here speaks the language, and no interpreter")),
    Code("unsuitable_facility", N_("Our building does not suit a disability")),
    Code("incomplete_referral", N_("The referral leaves out what we need to know")),
    Code("conflict_of_interest", N_("Conflict of interest")),
    Code("other", N_("Another reason")),
)

# HTCDS keeps the closure reason as free text: an export writes the label.
CLOSURE_REASON = CodeList(
    Code("plan_completed", N_("Support plan completed, lives independently")),
    Code("return_completed", N_("Safe return and reintegration completed")),
    Code("moved_abroad", N_("Resettled or moved abroad, case transferred"), closed_referred=True),
    Code("transferred", N_("Transferred to another agency or mechanism"), closed_referred=True),
    Code("not_a_victim", N_("Found not to be a victim, referred elsewhere")),
    Code("assistance_declined", N_("Withdrew consent or declined assistance")),
    Code("contact_lost", N_("Contact lost after repeated attempts")),
    Code("deceased", N_("The person has died")),
    Code("duplicate", N_("Duplicate, merged with another case")),
    Code("other", N_("Another reason")),
)

ERASURE_REASON = CodeList(
    Code("asked_by_person", N_("The person asked for it")),
    Code("retention_over", N_("The time for which files are kept is over")),
    Code("flagged_by_mistake", N_("Flagged by mistake")),
    Code("duplicate", N_("The same person is recorded twice")),
    Code("court_order", N_("A court ordered it")),
)

APPROVAL_REFUSAL = CodeList(
    Code("not_needed", N_("It is not needed")),
    Code("wrong_record", N_("It is about the wrong person or file")),
    Code("not_explained", N_("I do not know enough to approve it")),
    Code("too_wide", N_("It goes further than it has to")),
)

CONSENT_PURPOSE = CodeList(
    Code("interview", N_("Be interviewed")),
    Code("record", N_("Record and keep what they tell us")),
    Code("refer_nrm", N_("Be referred to the national mechanism")),
    Code("share_with_provider", N_("Share with a named service provider")),
    Code("share_with_law_enforcement", N_("Share with law enforcement")),
    Code("medical_examination", N_("Medical examination")),
    Code("forensic_evidence", N_("Forensic evidence")),
    Code("contact_family", N_("Contact with the family")),
    Code("return", N_("Return")),
    Code("statistics", N_("Statistics and research without identity")),
    Code("media", N_("Media"), always_off=True),
)

CONSENT_METHOD = CodeList(
    Code("oral", N_("By voice")),
    Code("written", N_("In writing")),
    Code("electronic", N_("Electronically")),
    Code("thumbprint", N_("By thumbprint")),
)

# The lawful bases on which a purpose may go ahead without consent; each needs a written reason.
CONSENT_EXCEPTION = CodeList(
    Code("legal_obligation", N_("A duty to report by law")),
    Code("vital_interests", N_("Danger to life or wellbeing")),
    Code("public_interest", N_("A task in the public interest or official authority")),
    Code("child_best_interest", N_("The best interest of a child")),
    Code("court_order", N_("A court order")),
)

CONSENT_NOT_ASKED_REASON = CodeList(
    Code("not_present", N_("The person is not here; someone else told us")),
    Code("not_safe_to_ask", N_("Not safe to ask: others could hear or see")),
    Code("unwell", N_("Too unwell or too distressed")),
    Code("no_language", N_("No shared language and no interpreter")),
    Code("child_without_safe_adult", N_("A child, and no safe adult to ask with them")),
    Code("lacks_capacity", N_("Cannot understand the question at this time")),
    Code("other", N_("Another reason")),
)

CONTACT_METHOD = CodeList(
    Code("phone", N_("By phone")),
    Code("named_person", N_("Through a person they trust")),
    Code("in_person", N_("In person, at a place they chose")),
    Code("do_not_contact", N_("Do not contact them")),
)

PRESUMPTION_BASIS = CodeList(
    Code("indicators", N_("Signs that were seen or heard")),
    Code("self_identified", N_("The person says so")),
    Code("professional_judgement", N_("Professional judgement")),
    Code("other_authority", N_("Another authority or country identified them")),
    Code("child_in_doubt", N_("A child, and doubt counts in favour of the child")),
)

# Why a case that somebody looks after goes to a colleague.
ASSIGN_REASON = CodeList(
    Code("absent", N_("Whoever had it is absent")),
    Code("workload", N_("Whoever had it has too many cases")),
    Code("relationship", N_("Whoever had it knows the person, or somebody close to the case")),
    Code("language", N_("A colleague speaks the person’s language")),
    Code("another_reason", N_("Another reason")),
)

# Why a draft is taken over that its writer left behind.
DRAFT_TAKE_REASON = CodeList(
    Code("goes_on", N_("I go on with this person myself")),
    Code("was_there", N_("I was there when the person was met")),
    Code("asked_by_unit", N_("My unit asked me to")),
)

# Asked before a closed part of a file opens; the answer goes into the log first.
REVEAL_REASON = CodeList(
    Code("arrange_referral", N_("To arrange a referral")),
    Code("assess_needs", N_("To assess needs")),
    Code("check_duplicate", N_("To check for a duplicate")),
    Code("correct_data", N_("The person asked for a correction")),
    Code("safety", N_("To keep the person safe")),
)

# Why a person or an organisation may not know of a case.
BAR_REASON = CodeList(
    Code("suspected_complicity", N_("Suspected part in the trafficking")),
    Code("related_to_person", N_("Related to the person, or knows them")),
    Code("conflict_of_interest", N_("Conflict of interest")),
    Code("other", N_("Another reason")),
)

LIFT_REASON = CodeList(
    Code("placed_by_mistake", N_("It was placed by mistake")),
    Code("suspicion_cleared", N_("It was looked into and cleared")),
    Code("other", N_("Another reason")),
)

# Why somebody opens at once what is closed to them.
GLASS_REASON = CodeList(
    Code("danger_to_life", N_("The person is in danger now")),
    Code("medical_emergency", N_("A doctor has to know now")),
    Code("missing_person", N_("The person is missing")),
    Code("nobody_answers", N_("Nobody who may open it can be reached")),
    Code("other", N_("Another emergency")),
)

GLASS_VERDICT = CodeList(
    Code("justified", N_("Justified")),
    Code("not_justified", N_("Not justified")),
    Code("needs_follow_up", N_("Needs a closer look")),
)

# What one person is told on their next page. Whatever tells somebody something adds its kind here.
NOTICE_KIND = CodeList(
    Code("app_added", N_("An app on a telephone was set up to sign in as you")),
    Code("app_removed", N_("The app on your telephone was removed: it signs you in no more")),
    Code("case_assigned", N_("A case was given to you")),
    Code("case_passed_on", N_("A case of yours was given to a colleague")),
    Code("codes_made", N_("New recovery codes were made for your account")),
    Code("connection_added", N_("An account at another institution signs in as you now")),
    Code("connection_removed", N_("Your account at another institution signs you in no more")),
    Code("draft_given", N_("A draft that somebody left behind was given to you")),
    Code("factors_reset", N_("Your app, passkeys and recovery codes were taken away")),
    Code("glass_broken", N_("A case was opened in an emergency")),
    Code("glass_overdue", N_("Nobody has reviewed an emergency access in time")),
    Code("glass_reviewed", N_("Your emergency access was reviewed")),
    Code("hand_over_offered", N_("A case is offered to you")),
    Code("hand_over_retracted", N_("The offer of a case was taken back")),
    Code("hand_over_taken", N_("A case that you offered was taken over")),
    Code("hand_over_not_taken", N_("A case that you offered was not taken over")),
    Code("link_made", N_("A link to choose a new password was made for your account")),
    Code("passkey_added", N_("A passkey was added to sign in as you")),
    Code("passkey_removed", N_("A passkey of yours was removed: it signs you in no more")),
    Code("password_changed", N_("Your password was changed")),
    Code("provider_gone", N_("Nobody is left at a provider to which this case was referred")),
    Code("stand_in_changed", N_("Somebody else stands in for you now")),
    Code("stand_in_gone", N_("Whoever stood in for you has gone: choose somebody else")),
    Code("stands_in", N_("You stand in for a colleague who is away")),
)

# Parts of a file that ask once more who it is before they open.
SENSITIVE = frozenset({"health", "enforcement"})
COMPARTMENT = CodeList(
    Code("identity", N_("Name and identity")),
    Code("contact", N_("Safe contact")),
    Code("narrative", N_("What happened")),
    Code("health", N_("Health")),
    Code("enforcement", N_("Police and prosecution")),
    Code("facts", N_("Coded facts")),
)

SERVICE_OUTCOME = CodeList(
    Code("given", N_("Given")),
    Code("partly_given", N_("Partly given")),
    Code("not_given", N_("Not given")),
)


# A period is counted soon after it is over, and again when what was late has come in.
RELEASE_EDITION = CodeList(
    Code("provisional", N_("Provisional")),
    Code("final", N_("Final")),
)

# The telephone numbers that a country pack may show, by what answers there.
HOTLINE_SERVICE = CodeList(
    Code("police_emergency", N_("Police emergency")),
    Code("child_helpline", N_("Child helpline")),
    Code("gender_violence", N_("Gender-based violence")),
    Code("investigation", N_("Criminal investigation")),
    Code("one_stop_centre", N_("One stop centre")),
    Code("prosecution", N_("Prosecution")),
)


def urgency(immediate_risk: str, needs: Collection[str], age_band: str) -> Urgency:
    """Rank a person in the queue: the most pressing of danger, needs and being a child wins."""
    ranks = [IMMEDIATE_RISK[immediate_risk].urgency, *(NEED[need].urgency for need in needs)]
    if is_child(age_band):
        ranks.append(Urgency.HIGH)
    return min((rank for rank in ranks if rank is not None), default=Urgency.NORMAL)
