"""The form in which the auditor says which entries to show."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from wtforms import SelectField, StringField
from wtforms.validators import ValidationError

from nrm.audit.actions import ACTION_LABEL, Action, Outcome
from nrm.country import CountryPack
from nrm.domain.reference import (
    ReferenceTypo,
    parse_case_reference,
    parse_referral_reference,
)
from nrm.models import Organisation
from nrm.services.accounts import normalised
from nrm.services.log_search import Point, Search
from nrm.web.forms.base import Form, PartDateField, choices
from nrm.web.forms.directory import UNLISTED
from nrm.web.log_words import OUTCOME_LABEL
from nrm.web.text import _, _l

_OLDEST_DAY = date(2000, 1, 1)
_ANY = _l("Any")


class SearchForm(Form):
    """Every field may stay empty. Sent by POST, since an e-mail address is a person's."""

    reference = StringField(
        _l("Case or referral"), description=_l("Its reference, like 7K4M-29QX-C or R-52K-KH3-A.")
    )
    email = StringField(_l("Person"), description=_l("The work e-mail address."))
    organisation = SelectField(_l("Organisation"), **UNLISTED)
    act = SelectField(_l("Act"), **UNLISTED)
    outcome = SelectField(_l("Outcome"), **UNLISTED)
    since = PartDateField(_l("From day"))
    until = PartDateField(_l("To day"))

    def __init__(
        self, organisations: Sequence[Organisation], pack: CountryPack, *args: Any, **kwargs: Any
    ) -> None:
        """Offer the organisations and every act that the log knows."""
        super().__init__(*args, **kwargs)
        self.pack = pack
        self.organisation.choices = {
            "": str(_ANY),
            **{str(organisation.id): organisation.name for organisation in organisations},
        }
        acts = choices({act.value: ACTION_LABEL[act] for act in Action})
        self.act.choices = {"": str(_ANY), **dict(sorted(acts.items(), key=lambda act: act[1]))}
        self.outcome.choices = choices(
            {outcome.value: label for outcome, label in OUTCOME_LABEL.items()}, first=str(_ANY)
        )
        # A choice that was not sent asks nothing, like one that was sent empty.
        for field in (self.organisation, self.act, self.outcome):
            field.data = field.data or ""

    def validate_reference(self, field: StringField) -> None:
        """Explain a slip in a reference."""
        try:
            _references(field.data)
        except ReferenceTypo as typo:
            raise ValidationError(_(typo.message, **typo.parameters)) from None

    def validate_since(self, field: PartDateField) -> None:
        """Refuse a day that no entry can have."""
        self._check_day(field.data)

    def validate_until(self, field: PartDateField) -> None:
        """Refuse a day that no entry can have, and a span that ends before it begins."""
        self._check_day(field.data)
        if self.since.data and field.data and field.data < self.since.data:
            raise ValidationError(_("The last day must not be before the first day"))

    def _check_day(self, day: date | None) -> None:
        today = datetime.now(UTC).astimezone(self.pack.zone).date()
        if day is not None and not _OLDEST_DAY <= day <= today:
            raise ValidationError(_("Enter a day that is not in the future, like 22 11 2026"))

    @property
    def person(self) -> str:
        """Whose acts are asked for, as addresses are kept."""
        return normalised(self.email.data or "")

    @property
    def address(self) -> dict[str, Any]:
        """What the address of the results says: references, codes and days, no person."""
        asked = {
            "reference": "".join(_references(self.reference.data)),
            "organisation": self.organisation.data,
            "act": self.act.data,
            "outcome": self.outcome.data,
            "since": _parts(self.since.data),
            "until": _parts(self.until.data),
        }
        return {name: value for name, value in asked.items() if value}

    def search(self, account_id: UUID | None, before: Point | None) -> Search:
        """What the log is asked."""
        case, referral = _references(self.reference.data)
        return Search(
            case_reference=case,
            referral_reference=referral,
            account_id=account_id,
            organisation_id=UUID(self.organisation.data) if self.organisation.data else None,
            action=Action(self.act.data) if self.act.data else None,
            outcome=Outcome(self.outcome.data) if self.outcome.data else None,
            since=self._midnight(self.since.data),
            until=self._midnight(self.until.data, timedelta(days=1)),
            before=before,
        )

    def _midnight(self, day: date | None, later: timedelta = timedelta()) -> datetime | None:
        return None if day is None else datetime.combine(day + later, time(), self.pack.zone)


def _references(typed: str | None) -> tuple[str, str]:
    """Read what was typed as a case or as a referral: one of the two stays empty."""
    text = (typed or "").strip()
    if not text:
        return "", ""
    try:
        return "", parse_referral_reference(text)
    except ReferenceTypo as typo:
        # A case's reference is longer, and may begin with R as well.
        if text.upper().startswith("R") and typo.reason_code != "length":
            raise
    return parse_case_reference(text), ""


def _parts(day: date | None) -> list[int]:
    return [] if day is None else [day.day, day.month, day.year]
