"""Forms of referral: what is needed, where to look for it, and what the provider is told."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from wtforms import HiddenField, SelectField, SelectMultipleField, SubmitField, TextAreaField
from wtforms.validators import AnyOf, Length

from nrm.country import CountryPack
from nrm.domain.vocabulary import NEED
from nrm.services.referral import Words
from nrm.web.forms.base import LONGEST_TEXT, Form, VersionedForm, choices
from nrm.web.text import _, _l

# The needs in the order of a conversation: tonight, the body, the papers, the family, the future.
NEED_GROUPS = {
    "now": (
        "emergency_shelter",
        "immediate_needs",
        "medical_emergency",
        "protection",
        "safety_planning",
        "transport",
        "interpretation",
    ),
    "health": (
        "medical_examination",
        "sexual_health",
        "psychosocial_counselling",
        "mental_health",
        "disability_support",
    ),
    "law": (
        "legal_information",
        "legal_representation",
        "documents",
        "compensation_claim",
    ),
    "family": (
        "guardian_appointment",
        "alternative_care",
        "family_tracing",
        "family_reunification",
        "childcare",
    ),
    "future": (
        "longer_term_accommodation",
        "education",
        "vocational_training",
        "livelihood",
        "job_placement",
        "financial_assistance",
        "voluntary_return",
        "reintegration",
        "follow_up",
        "other",
    ),
}


class NeedsForm(VersionedForm):
    """What the person needs, ticked together with the person."""

    now = SelectMultipleField(_l("Tonight and the first days"), validate_choice=False)
    health = SelectMultipleField(_l("Health and mind"), validate_choice=False)
    law = SelectMultipleField(_l("Law and papers"), validate_choice=False)
    family = SelectMultipleField(_l("Family and children"), validate_choice=False)
    future = SelectMultipleField(_l("Home, school, work and return"), validate_choice=False)

    def __init__(self, needs: Iterable[str] = (), **kwargs: Any) -> None:
        """Tick what is recorded; a form that was sent back keeps its own ticks."""
        recorded = set(needs)
        ticked = {
            group: [code for code in codes if code in recorded]
            for group, codes in NEED_GROUPS.items()
        }
        super().__init__(data=ticked, **kwargs)
        for group, codes in NEED_GROUPS.items():
            self[group].choices = choices({code: NEED.label(code) for code in codes})

    @property
    def needs(self) -> list[str]:
        """All ticks together."""
        return [code for group in NEED_GROUPS for code in self[group].data or ()]

    def validate(self, extra_validators: dict[str, list[object]] | None = None) -> bool:
        """Ask for at least one tick in all, and for nothing that is not on the list."""
        valid = super().validate(extra_validators)
        if not self.needs or not set(self.needs) <= set(NEED):
            self.refuse("now", _("Choose at least one need"))
            return False
        return valid


class ChooseForm(Form):
    """For which service, and where; sent in the body, because addresses are remembered."""

    service = SelectField(
        _l("Service"),
        validate_choice=False,
        validators=[AnyOf(NEED.codes, _l("Choose the service"))],
    )
    district = SelectField(_l("District"), validate_choice=False)
    # Only where a provider was chosen from the list.
    to = HiddenField()

    def __init__(self, pack: CountryPack, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.district.choices = {
            "": [("", _("Anywhere"))],
            **{
                province: [(code, pack.districts[code]) for code in codes]
                for province, codes in pack.provinces.items()
            },
        }
        self._districts = pack.districts

    def offer(self, needs: Iterable[str], service: str) -> None:
        """Offer what the person needs, and show the service that the page is about."""
        offered = dict.fromkeys((*needs, service) if service else needs)
        self.service.choices = choices({code: NEED.label(code) for code in offered})
        if not self.errors:
            self.service.data = service

    @property
    def where(self) -> str:
        """The district to look in; none asks for the whole country."""
        return self.district.data if self.district.data in self._districts else ""

    @property
    def provider(self) -> UUID | None:
        """The provider that was chosen, if one was."""
        try:
            return UUID(self.to.data or "")
        except ValueError:
            return None


class SendForm(VersionedForm):
    """What the coordinator writes on the outside of the envelope."""

    service = HiddenField()
    show = SubmitField()
    safety = TextAreaField(
        _l("How to keep everyone safe"),
        description=_l(
            "The provider reads this first. Write no name, and nothing of what happened."
        ),
        validators=[
            Length(max=LONGEST_TEXT, message=_l("Safety must be 20,000 characters or fewer"))
        ],
    )
    arrangements = TextAreaField(
        _l("Arrangements (optional)"),
        description=_l("Arrival, transport, beds, an interpreter: what a yes or no hangs on."),
        validators=[
            Length(max=LONGEST_TEXT, message=_l("Arrangements must be 20,000 characters or fewer"))
        ],
    )

    @property
    def words(self) -> Words:
        """What is to stand on the envelope."""
        return Words((self.safety.data or "").strip(), (self.arrangements.data or "").strip())

    @property
    def only_shows(self) -> bool:
        """Say whether the envelope is to be shown again, and nothing sent."""
        return bool(self.show.data)


class WithdrawForm(Form):
    """Take a referral back."""
