import re

from nrm.audit.actions import ACTION_LABEL, TIMELINE, Action, Outcome
from nrm.models import AuditEntry


def test_actions_are_subject_and_act_in_alphabetical_order():
    values = [action.value for action in Action]
    assert values == sorted(values)
    assert all(re.fullmatch(r"[a-z]+:[a-z-]+", value) for value in values)


def test_every_action_can_be_read_by_an_auditor():
    assert set(ACTION_LABEL) == set(Action)
    assert len(set(ACTION_LABEL.values())) == len(Action)


def test_actions_and_outcomes_fit_their_columns():
    columns = AuditEntry.__table__.columns
    assert max(map(len, Action)) <= columns["action"].type.length
    assert max(map(len, Outcome)) <= columns["outcome"].type.length


def test_the_timeline_shows_acts_once_and_no_reading():
    assert len(set(TIMELINE)) == len(TIMELINE)
    reading = re.compile(r":(?:list|open|view|search|prepare)$")
    assert [action for action in TIMELINE if reading.search(action)] == []
