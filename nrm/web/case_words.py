"""A case in words: its flags, what comes next, how far it is, what is known and what is closed."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from flask import url_for

from nrm.audit.actions import Action
from nrm.domain.lifecycle import (
    NEXT_ACTION_LABEL,
    Assistance,
    Identification,
    NextAction,
    ReferralState,
    next_action,
)
from nrm.domain.vocabulary import IMMEDIATE_RISK, Urgency, is_child
from nrm.models import Case
from nrm.services.casefile import CaseFile, Event, Overview, Queue, WorkRow
from nrm.services.exploitation import CODES as EXPLOITATION_FACTS
from nrm.web import keeping_words
from nrm.web.context import action_words, district, iso_day, state_words, when, words
from nrm.web.due import due
from nrm.web.masked import Shown, with_shown
from nrm.web.text import _, _l

# The strip stands above every page of the case: a long rule is read whole on the overview.
LONGEST_RULE = 200
_SHOWN_LANGUAGES = 2
_UNSAID = frozenset({"other", "unknown"})

TABS = {
    Queue.ALL: _l("All open"),
    Queue.MINE: _l("Mine"),
    Queue.NOBODYS: _l("Nobody’s"),
    Queue.INCOMING: _l("New flags"),
    Queue.NEEDS: _l("Needs a provider"),
    Queue.REFERRED: _l("Referred"),
    Queue.ASSISTED: _l("Assisted"),
}

# Acts that turned the case, and acts that ask the coordinator for another one.
_KEY = frozenset(
    {Action.CASE_PRESUME, Action.REFERRAL_ACCEPT, Action.CASE_CLOSE, Action.CASE_ERASE}
)
_ALERT = frozenset({Action.CASE_LEAVE, Action.REFERRAL_DECLINE, Action.REFERRAL_EXPIRE})

# Where the next action is done, and what its button says.
_DONE_AT: dict[NextAction, tuple[str, str, str]] = {
    NextAction.READ_FLAG: (
        "casefile.presume",
        _l("Record the presumption"),
        _l("Read what was seen and heard. If there are grounds, record the presumption."),
    ),
    NextAction.RECORD_NEEDS: (
        "referral.needs",
        _l("Record needs"),
        _l("Ask the person what they need first. Help does not wait for a decision."),
    ),
    NextAction.FIND_PROVIDER: (
        "referral.choose",
        _l("Choose a provider"),
        _l("Only approved providers are offered. The person decides what is shared."),
    ),
    NextAction.AWAIT_ANSWER: (
        "referral.page",
        _l("See the referrals"),
        _l("If no answer comes in time, the case returns here and you ask another provider."),
    ),
    NextAction.FOLLOW_UP: (
        "referral.page",
        _l("See the help that is given"),
        _l("Speak to the provider, and to the person where that is safe."),
    ),
}


def case_flags(file: CaseFile) -> list[dict[str, str]]:
    """Name what nobody who works on this case may miss: two to five flags."""
    case, facts = file.case, file.facts
    new = case.identification is Identification.FLAGGED
    flags = [_flag(state_words(case.identification), "act" if new else "")]
    if case.assistance is Assistance.CLOSED:
        flags.append(_flag(state_words(case.assistance), "wait"))
    elif _in_danger(facts.get("immediate_risk", "")):
        flags.append(_flag(_("Not safe when flagged"), "stop", "warning"))
    if is_child(facts.get("age_band", "unknown")):
        flags.append(_flag(_("Child"), "act", "child"))
    if spoken := languages(facts.get("languages", ())):
        flags.append(_flag(_("Speaks %(languages)s", languages=spoken), "", "speech"))
    if "enforcement" in file.closed_to_actor:
        flags.append(_flag(_("Police part closed to you"), "closed", "lock"))
    return flags


def contact_rule(file: CaseFile) -> dict[str, str]:
    """Say how the person may be reached; the strip shows neither number nor code word."""
    method, told = file.contact.get("method", ""), file.contact.get("words", "")
    strong = {
        "phone": _("By phone only."),
        "named_person": _("Only through a person they trust."),
        "in_person": _("Do not phone or text. Only in person."),
        "do_not_contact": _("Do not contact this person."),
    }.get(method, _("No safe contact is known. Ask whoever flagged the person first."))
    if len(told) > LONGEST_RULE:
        told = _("Read the whole rule under “Safe contact” first.")
    return {"strong": strong, "words": told, "icon": "shield" if method == "phone" else "phone_off"}


def languages(codes: Iterable[str], most: int = _SHOWN_LANGUAGES) -> str:
    """Name the first languages of a person."""
    known = [code for code in codes if code not in _UNSAID]
    return ", ".join(words(code, "LANGUAGE") for code in known[:most])


def _in_danger(risk: str) -> bool:
    return risk in IMMEDIATE_RISK and IMMEDIATE_RISK[risk].urgency is Urgency.IMMEDIATE


def _flag(said: str, kind: str, icon: str = "") -> dict[str, str]:
    return {"words": said, "kind": kind, "icon": icon}


def tabs(current: Queue) -> list[dict[str, Any]]:
    """Draw the tabs of the worklist."""
    return [
        {
            "label": label,
            "url": url_for("casefile.worklist", queue=queue),
            "current": queue is current,
        }
        for queue, label in TABS.items()
    ]


def work_row(row: WorkRow, me: UUID | None = None) -> dict[str, Any]:
    """Draw one row of the worklist from codes alone."""
    case = row.case
    action = next_action(case.identification, case.assistance)
    return {
        "reference": case.reference,
        "url": url_for("casefile.overview", reference=case.reference),
        "act": _(NEXT_ACTION_LABEL[action]),
        "note": codes_of(row.facts),
        "stage": stage(case),
        "keeper": keeping_words.row_note(case, me),
        "urgency": case.urgency,
        "due": due(case.due_at),
    }


def codes_of(facts: Mapping[str, Any]) -> str:
    """Say in codes whom a row is about: enough to choose, too little to know who it is."""
    parts = (
        _known(facts.get("sex"), "SEX"),
        _known(facts.get("age_band"), "AGE_BAND"),
        district(facts.get("district")) if facts.get("district") else "",
        languages(facts.get("languages", ())),
    )
    return " · ".join(part for part in parts if part)


def _known(code: str | None, code_list: str) -> str:
    return words(code, code_list) if code and code not in _UNSAID else ""


def stage(case: Case) -> dict[str, str]:
    """Say how far a case has come, as the tag of a list."""
    if case.assistance is Assistance.WAITING:
        new = case.identification is Identification.FLAGGED
        said = _("New flag") if new else state_words(case.identification)
        return {"words": said, "kind": "act" if new else ""}
    marked = {
        Assistance.ASSISTED: "done",
        Assistance.REFERRED: "wait",
        Assistance.CLOSED: "wait",
    }
    return {"words": state_words(case.assistance), "kind": marked.get(case.assistance, "")}


def next_step(case: Case) -> dict[str, Any] | None:
    """Draw the one thing to do now; a closed case asks for nothing."""
    action = next_action(case.identification, case.assistance)
    if action is NextAction.NOTHING:
        return None
    endpoint, button, why = _DONE_AT[action]
    return {
        "heading": _(NEXT_ACTION_LABEL[action]),
        "words": why,
        "button": button,
        "url": url_for(endpoint, reference=case.reference),
        "clock": due(case.due_at),
    }


def help_rail(page: Overview) -> list[dict[str, str]]:
    """Draw how far help has come; only what happened counts as done."""
    states = {referral.state for referral, _provider in page.referrals}
    done = [
        page.file.case.assistance is not Assistance.WAITING or bool(states),
        bool(states),
        bool(states & {ReferralState.ACCEPTED, ReferralState.ENDED}),
        False,
    ]
    if page.file.case.assistance is Assistance.CLOSED:
        done[0] = bool(states)
    here = {
        Assistance.WAITING: 0,
        Assistance.NEEDS_RECORDED: 1,
        Assistance.REFERRED: 1,
        Assistance.ASSISTED: 2,
        Assistance.CLOSED: 3,
    }[page.file.case.assistance]
    labels = (_("Needs"), _("Referrals"), _("Services"), _("Closed"))
    return [
        {"label": label, "state": "here" if at == here else "done" if done[at] else "todo"}
        for at, label in enumerate(labels)
    ]


def identification_rail(case: Case) -> list[dict[str, str]]:
    """Draw how far the question of identification has come."""
    new = case.identification is Identification.FLAGGED
    return [
        {"label": _("Flagged"), "state": "here" if new else "done"},
        {"label": _("Presumed"), "state": "todo" if new else "here"},
    ]


def known(page: Overview, asked: Shown | None = None) -> list[dict[str, Any]]:
    """List what is known, group by group: each row is (question, answer, whether it is closed).

    The answer of a closed row is not in the page at all until the group was opened, and that of a
    masked one not until it was asked for by itself.
    """
    facts, opened = page.file.facts, with_shown(page.opened, asked)
    identity, contact, narrative, health = (
        opened.get(name, {}) for name in ("identity", "contact", "narrative", "health")
    )
    name = (identity.get("given_name"), identity.get("family_name"))
    return [
        {
            "group": "identity",
            "heading": _("Who the person is"),
            "ask": _("Why do you need the name and date of birth?"),
            "rows": [
                (_("Name"), " ".join(part for part in name if part), True),
                (_("Other names"), identity.get("other_names"), True),
                (_("Date of birth"), identity.get("birth_date"), True),
                (_("Identity paper"), identity.get("id_number"), True),
                (_("Age"), words(facts.get("age_band"), "AGE_BAND"), False),
                (_("Sex"), words(facts.get("sex"), "SEX"), False),
                (_("Citizenship"), words(facts.get("citizenship"), "CITIZENSHIP"), False),
                (_("Languages"), _all_of(facts.get("languages", ()), "LANGUAGE"), False),
            ],
        },
        {
            "group": "contact",
            "heading": _("Safe contact"),
            "ask": _("Why do you need the number?"),
            "rows": [
                (_("How"), _known(page.file.contact.get("method"), "CONTACT_METHOD"), False),
                (_("Who, when and how"), page.file.contact.get("words"), False),
                (_("Phone number"), contact.get("phone"), True),
                (_("Code word"), contact.get("code_word"), True),
            ],
        },
        {
            "group": "narrative",
            "heading": _("What was seen and heard"),
            "ask": _("Why do you need to read what happened?"),
            "link": _exploitation_link(page.file.case),
            "rows": [
                (_("Signs"), _all_of(facts.get("indicators", ()), "INDICATOR"), False),
                (_("Safe there?"), _known(facts.get("immediate_risk"), "IMMEDIATE_RISK"), False),
                (_("Kind of place"), words(facts.get("place"), "IDENTIFICATION_PLACE"), False),
                (_("Reported by"), words(facts.get("source"), "REFERRAL_SOURCE"), False),
                (_("District"), district(facts.get("district")), False),
                *exploitation(facts),
                (_("In their words"), narrative.get("account"), True),
                (_("Day"), iso_day(narrative.get("found_on")), True),
                (_("Sector"), narrative.get("sector"), True),
                (_("Exact place"), narrative.get("place_words"), True),
            ],
        },
        {
            "group": "health",
            "heading": _("Health and needs"),
            "ask": _("Why do you need the notes on health?"),
            "rows": [
                (_("Needs"), _all_of(facts.get("needs", ()), "NEED"), False),
                (_("Health"), health.get("health_words"), True),
            ],
        },
    ]


def exploitation(facts: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Say in words what is known of the exploitation, as rows of a group."""
    return [
        (_("Form of exploitation"), _all_of(facts.get("exploitation", ()), "EXPLOITATION"), False),
        (_("Work"), _said(facts.get("sector"), "ECONOMIC_SECTOR"), False),
        (_("Route"), _said(facts.get("flow"), "TRAFFICKING_FLOW"), False),
        (_("Refugee or asylum seeker"), _said(facts.get("refugee"), "REFUGEE_STATUS"), False),
    ]


def lacks_exploitation(file: CaseFile) -> bool:
    """Say whether a person is presumed a victim and nobody has recorded of what."""
    presumed = file.case.identification is Identification.PRESUMED
    return presumed and not any(name in file.facts for name in EXPLOITATION_FACTS)


def _exploitation_link(case: Case) -> dict[str, str] | None:
    if case.assistance is Assistance.CLOSED:
        return None
    return {
        "url": url_for("exploitation.record", reference=case.reference),
        "label": _("Record the kind of exploitation"),
    }


def _said(code: str | None, code_list: str) -> str:
    return words(code, code_list) if code else ""


def _all_of(codes: Iterable[str], code_list: str) -> str:
    return "\n".join(words(code, code_list) for code in codes)


def reveal_reason(code: str) -> str:
    """Say why fields were opened."""
    return words(code, "REVEAL_REASON")


def event(act: Event) -> dict[str, str]:
    """Draw one act of the timeline."""
    kind = "key" if act.action in _KEY else "alert" if act.action in _ALERT else "event"
    return {
        "title": action_words(act.action),
        "byline": ", ".join(part for part in (act.who, act.organisation) if part)
        or _by_itself(act.action),
        "when": when(act.at),
        "iso": act.at.isoformat(),
        "kind": kind,
        "words": keeping_words.change_of_hands(act),
    }


def _by_itself(action: Action) -> str:
    """Say why the system acted, where no person did."""
    if action is Action.CASE_LEAVE:
        return _("the system, because an account was disabled")
    if action is Action.ERASURE_REPLAY:
        return _("the system, after a restore")
    if action is Action.DEMONSTRATION_LOAD:
        return _("the demonstration, in which everyone is invented")
    return _("the system, because time ran out")
