"""Forms of identification: one for each page of a flag, and those that move it."""

from typing import Any

import phonenumbers
from wtforms import Field, HiddenField
from wtforms.validators import ValidationError

from nrm.domain.flag import FIRST_NEEDS, PAGES
from nrm.domain.vocabulary import (
    AGE_BAND,
    CITIZENSHIP,
    CONSENT_NOT_ASKED_REASON,
    CONTACT_METHOD,
    IDENTIFICATION_PLACE,
    IMMEDIATE_RISK,
    INDICATOR,
    LANGUAGE,
    NEED,
    REFERRAL_SOURCE,
    SEX,
)
from nrm.web.context import district, pack
from nrm.web.forms.base import Form, choices
from nrm.web.forms.flag_page import (
    PageForm,
    SavedDateField,
    codes,
    line,
    lines,
    radios,
    select,
    ticks,
    yes_or_no,
)
from nrm.web.text import _, _l

# The tick that says that a person needs nothing now; it is shown, and kept as no need at all.
NO_NEED = "none"


def districts() -> dict[str, Any]:
    """Offer every district under its province."""
    here = pack()
    grouped = {
        province: {code: here.districts[code] for code in inside}
        for province, inside in here.provinces.items()
    }
    return {"": _("Choose"), **grouped}


class StartForm(Form):
    """Begin a flag, perhaps of another person found at the same place as one flagged before."""

    same_place_as = HiddenField()


class SendForm(Form):
    """Send the flag."""


class DeleteForm(Form):
    """Throw a draft away."""


class ReportForm(PageForm):
    """Who reports, and from which district."""

    page = "report"

    source = select(
        _l("How did you learn about this person?"),
        codes(REFERRAL_SOURCE, _l("Choose")),
        message=_l("Choose how you learned about this person"),
        description=_l("Choose who told you, or who brought the person to you."),
    )
    district = select(
        _l("District"),
        districts,
        message=_l("Choose the district"),
        description=_l("Where the person was found."),
    )
    station_reference = line(
        _l("Your own reference"),
        _l("If you have one: an occurrence book or case number."),
    )


class PlaceForm(PageForm):
    """Where and when the person was found."""

    page = "place"

    place = select(
        _l("Kind of place"),
        codes(IDENTIFICATION_PLACE, _l("Choose")),
        message=_l("Choose the kind of place, or “Not known”"),
    )
    sector = select(_l("Sector"), dict)
    found_on = SavedDateField(
        _l("On which day"),
        description=_l("Day, month and year. Leave it empty if you do not know."),
    )
    place_words = lines(
        _l("The place in your own words"),
        _l("The place must be described in 20,000 characters or fewer"),
        _l("If it helps to find the place again."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        """Offer the sectors of the district that the page before asked for."""
        super().__init__(*args, **options)
        code = self.draft.pages.get("report", {}).get("district")
        sectors = self.country.sectors(code) if code else ()
        self.sector.choices = {"": _("I do not know"), **{name: name for name in sectors}}
        self.sector.description = (
            _("In %(district)s.", district=district(code))
            if code
            else _("Choose the district first, on “%(page)s”.", page=_(PAGES["report"]))
        )

    def saved(self) -> dict[str, Any]:
        """Take today for the day, until the writer says otherwise."""
        return super().saved() or {"found_on": self.today().isoformat()}

    def check_together(self) -> None:
        """Refuse a day that nobody can have seen."""
        self.refuse_day(
            self.found_on, _("This day has not come yet. Enter today or an earlier day")
        )


class PersonForm(PageForm):
    """Who the person is: as much or as little as is known."""

    page = "person"

    given_name = line(_l("Given name"))
    family_name = line(_l("Family name"))
    other_names = line(_l("Other names"), _l("What the person is called by others."))
    birth_date = SavedDateField(
        _l("Date of birth"),
        description=_l("Only if you know the whole date. Otherwise choose an age below."),
    )
    age_band = select(
        _l("About how old?"),
        codes(AGE_BAND, _l("Choose")),
        description=_l("Your estimate. A date of birth above goes before it."),
    )
    sex = radios(_l("Sex"), codes(SEX))
    citizenship = select(_l("Citizenship"), codes(CITIZENSHIP, _l("Choose")))
    languages = ticks(
        _l("Languages"),
        codes(LANGUAGE),
        description=_l("Tick all that the person speaks well."),
    )
    id_number = line(_l("Number of an identity paper"), _l("Of a card, passport or permit."))

    def check_together(self) -> None:
        """Refuse a birth date that cannot be one."""
        self.refuse_day(
            self.birth_date, _("The date of birth is in the future. Check day, month and year")
        )


class SignsForm(PageForm):
    """What was seen or heard. A tick decides nothing."""

    page = "signs"

    indicators = ticks(
        _l("Signs"),
        codes(INDICATOR),
        description=_l("Tick what you saw, or what someone told you without being asked."),
    )
    account = lines(
        _l("In your own words"),
        _l("What you saw or heard must be 20,000 characters or fewer"),
        _l("A few plain words. Do not ask the person to tell the story again."),
    )

    def check_together(self) -> None:
        """Ask for one sign at least, ticked or in words."""
        if not self.indicators.data and not self.account.data:
            self.refuse("indicators", _("Tick a sign, or write what you saw or heard"))


class RiskForm(PageForm):
    """Whether the person is safe, and what they need first."""

    page = "risk"

    immediate_risk = radios(
        _l("Where they are now, is the person safe?"),
        codes(IMMEDIATE_RISK),
        message=_l("Say whether the person is safe where they are now"),
        description=_l("Your own judgement is enough."),
    )
    needs = ticks(
        _l("What does the person need first?"),
        lambda: {
            **choices({need: NEED.label(need) for need in FIRST_NEEDS}),
            NO_NEED: _("Nothing right now"),
        },
        description=_l("Tick all that apply."),
    )
    health_words = lines(
        _l("About their health"),
        _l("What you write about health must be 20,000 characters or fewer"),
        _l("Only what a helper must know tonight, if anything: wounds, medicine, a pregnancy."),
    )

    def saved(self) -> dict[str, Any]:
        """Show a page that was saved without any need as “Nothing right now”."""
        held = super().saved()
        return {**held, "needs": [NO_NEED]} if held.get("needs") == [] else held

    def answers(self) -> dict[str, Any]:
        """Keep the needs, also where there are none."""
        needed = [need for need in self.needs.data or [] if need != NO_NEED]
        return {**self.typed(), "needs": needed}

    def check_together(self) -> None:
        """Ask for needs or for none, not for both."""
        ticked = self.needs.data or []
        if not ticked:
            self.refuse("needs", _("Tick what the person needs first, or “Nothing right now”"))
        elif NO_NEED in ticked and len(ticked) > 1:
            self.refuse("needs", _("Tick the needs, or “Nothing right now”, but not both"))


class ContactForm(PageForm):
    """How the person can be reached without putting them in danger."""

    page = "contact"

    method = radios(
        _l("How may we reach the person?"),
        codes(CONTACT_METHOD),
        message=_l("Choose how the person may be reached"),
        description=_l("What the person says is safe goes before what is easy."),
    )
    phone = line(_l("Phone number"))
    words = lines(
        _l("Who, when and how"),
        _l("Who, when and how must be 20,000 characters or fewer"),
        _l("Whom to ask for, at what hours, what must not be said or left as a message."),
    )
    code_word = line(
        _l("A word that proves it is us"),
        _l("If the person chose one. Whoever calls says it first."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        """Show a number of this country as the example."""
        super().__init__(*args, **options)
        self.phone.description = _("For example %(number)s.", number=_example(self.region))

    @property
    def region(self) -> str:
        """The country in which a number without a country code is at home."""
        return self.country.code.upper()

    def answers(self) -> dict[str, Any]:
        """Keep the number in the one form that can be called from anywhere."""
        given = self.typed()
        if "phone" in given:
            given["phone"] = _dialled(given["phone"], self.region)
        return given

    def validate_phone(self, field: Field) -> None:
        """Refuse what nobody could call."""
        if field.data and not _dialled(field.data, self.region):
            example = _example(self.region)
            raise ValidationError(_("Enter a phone number, like %(number)s", number=example))

    def check_together(self) -> None:
        """Ask for what the chosen way needs, and for no number that must not be called."""
        method = self.method.data
        if method == "phone" and not self.phone.data:
            self.refuse("phone", _("Enter the phone number, or choose another way"))
        if method == "named_person" and not self.words.data:
            self.refuse("words", _("Write who the person trusts, and how to reach them"))
        if method == "in_person" and not self.words.data:
            self.refuse("words", _("Write where and when to meet"))
        if method == "do_not_contact" and self.phone.data:
            message = _("Take the number out, or choose another way: they must not be contacted")
            self.refuse("phone", message)


class ConsentForm(PageForm):
    """What the person agrees to, or why nobody could ask."""

    page = "consent"

    consent_asked = radios(
        _l("Did you ask the person?"),
        yes_or_no,
        message=_l("Say whether you asked the person"),
    )
    agrees = radios(
        _l("If you asked: do they agree to be referred to the national mechanism?"),
        yes_or_no,
        description=_l("For a child under 16 the coordinator asks the guardian too."),
    )
    not_asked_reason = radios(_l("If you did not ask: why not?"), codes(CONSENT_NOT_ASKED_REASON))

    def answers(self) -> dict[str, Any]:
        """Keep only the answer that goes with yes, or the reason that goes with no."""
        given = self.typed()
        given.pop("not_asked_reason" if given["consent_asked"] == "yes" else "agrees", None)
        return given

    def said(self) -> list[tuple[str, str]]:
        """Leave out the question that the first answer made void."""
        return [(question, answer) for question, answer in super().said() if answer]

    def check_together(self) -> None:
        """Ask for the answer where there was a question, else for the reason."""
        if self.consent_asked.data == "yes" and not self.agrees.data:
            self.refuse("agrees", _("Say what the person answered"))
        if self.consent_asked.data == "no" and not self.not_asked_reason.data:
            self.refuse("not_asked_reason", _("Choose why you did not ask"))


FORMS: dict[str, type[PageForm]] = {
    form.page: form
    for form in (
        ReportForm,
        PlaceForm,
        PersonForm,
        SignsForm,
        RiskForm,
        ContactForm,
        ConsentForm,
    )
}


def _dialled(typed: str, region: str) -> str | None:
    """Write a number as +250…; none where it is no number, or would lose its extension."""
    # The library reads letters as the keys of an old phone; here they are a slip or a remark.
    if any(symbol.isalpha() for symbol in typed):
        return None
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _example(region: str) -> str:
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    national = phonenumbers.PhoneNumberFormat.NATIONAL
    return phonenumbers.format_number(number, national) if number else "+250 720 123 456"
