"""The sealed envelope: all that a provider learns before it answers. No name, no story.

Reference: data protection rule "minimum data before acceptance"; what a provider needs to say yes
or no is the service, the urgency, roughly who, the languages, the area and how to keep safe.
"""

from collections.abc import Mapping
from typing import Any

from nrm.domain.vocabulary import is_child

# Sex is told only where it decides who can take the person in or examine her.
_SEX_MATTERS = frozenset(
    {
        "emergency_shelter",
        "longer_term_accommodation",
        "alternative_care",
        "medical_examination",
        "sexual_health",
    }
)


def coarse_age(band: str) -> str:
    """Widen an age band to what an envelope may tell: child under 12, 12 to 17, or adult."""
    if band == "unknown":
        return "unknown"
    if not is_child(band):
        return "adult"
    return "under_12" if band == "under_12" else "12_17"


def fill(
    facts: Mapping[str, Any], *, service: str, urgency: int, safety: str, arrangements: str
) -> dict[str, Any]:
    """Write the envelope from the coded facts and the coordinator's words for this provider."""
    return {
        "service": service,
        "urgency": urgency,
        "age": coarse_age(facts.get("age_band", "unknown")),
        "sex": facts.get("sex", "unknown") if service in _SEX_MATTERS else "",
        "languages": facts.get("languages", []),
        "district": facts.get("district", ""),
        "safety": safety,
        "arrangements": arrangements,
    }
