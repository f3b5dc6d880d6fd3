"""Matching: what speaks for and against each approved provider. Reasons, never a score.

A person decides. The order only saves reading: the fewest reasons against first, then the most
reasons for, then the name.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from nrm.domain.text import N_
from nrm.domain.vocabulary import AGE_BAND, SEX

_NOT_TOLD = frozenset({"unknown", "other"})


class Verdict(StrEnum):
    """Whether a reason speaks for a provider, against it, or has to be asked."""

    YES = "yes"
    ASK = "ask"
    NO = "no"


@dataclass(frozen=True)
class Reason:
    """One reason in words; `languages` are the codes that it is about."""

    verdict: Verdict
    words: str
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What is looked for, in the coded facts of one person."""

    service: str
    sex: str = "unknown"
    age_band: str = "unknown"
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Offer:
    """What a provider's listing says."""

    name: str
    services: tuple[str, ...]
    # Codes of sexes and age bands together, as the listing keeps them.
    serves: frozenset[str]
    languages: frozenset[str]


_TAKES_SEX = {
    "female": N_("Takes women and girls"),
    "male": N_("Takes men and boys"),
    "other": N_("Takes people who are neither women nor men"),
}
_TAKES_NOT_SEX = {
    "female": N_("Does not take women and girls"),
    "male": N_("Does not take men and boys"),
    "other": N_("Does not say that it takes people who are neither women nor men"),
}


def reasons(wanted: Wanted, offer: Offer) -> tuple[Reason, ...]:
    """Say what speaks for and against one provider, and what has to be asked."""
    return (
        _service(wanted.service, offer.services),
        _sex(wanted.sex, offer.serves & set(SEX)),
        _age(wanted.age_band, offer.serves & set(AGE_BAND)),
        _language(wanted.languages, offer.languages),
    )


def ranked(wanted: Wanted, offers: Iterable[Offer]) -> list[tuple[Offer, tuple[Reason, ...]]]:
    """Put the providers in the order in which they are worth reading."""
    weighed = [(offer, reasons(wanted, offer)) for offer in offers]
    return sorted(weighed, key=lambda pair: (*_against_and_for(pair[1]), pair[0].name))


def fits(given: Collection[Reason]) -> bool:
    """Say whether nothing speaks against a provider."""
    return all(reason.verdict is not Verdict.NO for reason in given)


def _against_and_for(given: Collection[Reason]) -> tuple[int, int]:
    verdicts = [reason.verdict for reason in given]
    return verdicts.count(Verdict.NO), -verdicts.count(Verdict.YES)


def _service(service: str, offered: Collection[str]) -> Reason:
    if service in offered:
        return Reason(Verdict.YES, N_("Offers this service"))
    return Reason(Verdict.NO, N_("Does not offer this service"))


def _sex(sex: str, taken: Collection[str]) -> Reason:
    if sex not in _TAKES_SEX:
        return Reason(Verdict.ASK, N_("The person’s sex is not known: ask whom they take"))
    if not taken:
        return Reason(Verdict.ASK, N_("Whom they take is not stated"))
    if sex in taken:
        return Reason(Verdict.YES, _TAKES_SEX[sex])
    return Reason(Verdict.NO, _TAKES_NOT_SEX[sex])


def _age(band: str, taken: Collection[str]) -> Reason:
    if band == "unknown":
        return Reason(Verdict.ASK, N_("The person’s age is not known: ask which ages they take"))
    if not taken:
        return Reason(Verdict.ASK, N_("Which ages they take is not stated"))
    if band in taken:
        return Reason(Verdict.YES, N_("Takes people of this age"))
    return Reason(Verdict.NO, N_("Does not take people of this age"))


def _language(spoken: Collection[str], offered: Collection[str]) -> Reason:
    known = [language for language in spoken if language not in _NOT_TOLD]
    if not known:
        return Reason(Verdict.ASK, N_("The person’s languages are not known: ask the person"))
    if not offered:
        return Reason(Verdict.ASK, N_("Languages not stated"))
    shared = tuple(language for language in known if language in offered)
    if shared:
        return Reason(Verdict.YES, N_("Speaks a language of the person"), shared)
    return Reason(Verdict.NO, N_("Speaks none of the person’s languages: plan an interpreter"))
