import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain import lifecycle
from nrm.domain.errors import IllegalStepError
from nrm.domain.lifecycle import (
    LIFECYCLES,
    LIVE_REFERRALS,
    NEXT_ACTION_LABEL,
    OPEN_ASSISTANCE,
    STATE_LABEL,
    Assistance,
    Identification,
    Lifecycle,
    NextAction,
    ReferralState,
    Step,
    advance,
    allows,
    next_action,
)
from nrm.domain.roles import Permission

# One row for each step, one column for each state in which it may be tried; "new" is before the
# record exists. In a cell stands the beginning of the state that follows, "=" where the act is
# allowed and leaves the state as it is, and "." where it is refused.
TABLES = {
    # Is this a victim of trafficking? A flag is a suspicion, a presumption opens the way to help.
    "Identification": """
        step    | new     | flagged  | presumed
        flag    | flagged | .        | .
        presume | .       | presumed | .
    """,
    # How far has help come? Nothing in this table asks how the question above was answered.
    "Assistance": """
        step            | new     | waiting | needs_recorded | referred | assisted | closed
        open the file   | waiting | .       | .              | .        | .        | .
        record needs    | .       | needs   | =              | =        | =        | .
        refer           | .       | .       | referred       | =        | =        | .
        assist          | .       | .       | assisted       | assisted | =        | .
        wait for others | .       | .       | .              | =        | referred | .
        seek again      | .       | =       | =              | needs    | needs    | .
        close           | .       | closed  | closed         | closed   | closed   | .
    """,
    # One referral to one organisation. Whatever ends it, ends it for good: a new try is a new one.
    "Referral": """
        step     | new  | sent      | accepted  | declined | expired | withdrawn | ended
        send     | sent | .         | .         | .        | .       | .         | .
        accept   | .    | accepted  | .         | .        | .       | .         | .
        decline  | .    | declined  | .         | .        | .       | .         | .
        expire   | .    | expired   | .         | .        | .       | .         | .
        withdraw | .    | withdrawn | withdrawn | .        | .       | .         | .
        end      | .    | .         | ended     | .        | .       | .         | .
    """,
    # A provider in the directory. Approving again renews; a suspended one can be approved again.
    "Listing in the directory": """
        step    | new       | submitted | approved  | suspended
        submit  | submitted | .         | .         | .
        approve | .         | approved  | approved  | approved
        suspend | .         | suspended | suspended | .
    """,
    # A request to erase a closed case. Whoever was refused, or thought better of it, asks anew.
    "Erasure of a closed case": """
        step         | new   | asked      | taken_back | refused | done
        ask to erase | asked | .          | .          | .       | .
        take back    | .     | taken_back | .          | .       | .
        refuse       | .     | refused    | .          | .       | .
        erase        | .     | done       | .          | .       | .
    """,
    # What takes two people. Once it is answered, it is answered; whoever still wants it asks anew.
    "Approval by a second person": """
        step             | new       | requested | confirmed | rejected | cancelled | lapsed
        request approval | requested | .         | .         | .        | .         | .
        confirm          | .         | confirmed | .         | .        | .         | .
        reject           | .         | rejected  | .         | .        | .         | .
        cancel           | .         | cancelled | .         | .        | .         | .
        lapse            | .         | lapsed    | .         | .        | .         | .
    """,
    # A release of the statistics. What has too few cases goes into the next one.
    "Release of the statistics": """
        step               |new   |queued |too_few|draft      |signed_once|signed|frozen
        ask for the release|queued|.      |.      |.          |.          |.     |.
        count              |.     |draft  |.      |.          |.          |.     |.
        find too few       |.     |too_few|.      |.          |.          |.     |.
        sign               |.     |.      |.      |signed_once|.          |.     |.
        sign second        |.     |.      |.      |.          |signed     |.     |.
        freeze             |.     |.      |.      |.          |.          |frozen|.
    """,
    # An offer of a case to another organisation. What was not taken over can be offered anew.
    "Hand-over of a case": """
        step          | new     | offered   | taken | not_taken | retracted
        offer         | offered | .         | .     | .         | .
        take over     | .       | taken     | .     | .         | .
        not take over | .       | not_taken | .     | .         | .
        retract       | .       | retracted | .     | .         | .
    """,
}
# The permission without which a step is not taken.
NEEDS = {
    "flag": "case:flag",
    "presume": "case:presume",
    "open the file": "case:flag",
    "record needs": "needs:record",
    "refer": "referral:send",
    "assist": "referral:answer",
    "wait for others": "referral:send",
    "seek again": "referral:send",
    "close": "case:close",
    "send": "referral:send",
    "accept": "referral:answer",
    "decline": "referral:answer",
    "expire": "referral:expire",
    "withdraw": "referral:withdraw",
    "end": "referral:end",
    "submit": "listing:submit",
    "approve": "listing:approve",
    "suspend": "listing:suspend",
    "ask to erase": "erasure:ask",
    "take back": "erasure:ask",
    "refuse": "erasure:answer",
    "erase": "erasure:answer",
    "request approval": "approval:ask",
    "confirm": "approval:answer",
    "reject": "approval:answer",
    "cancel": "approval:ask",
    "lapse": "approval:lapse",
    "ask for the release": "statistics:ask",
    "count": "statistics:count",
    "find too few": "statistics:count",
    "sign": "statistics:sign",
    "sign second": "statistics:sign",
    "freeze": "statistics:count",
    "offer": "case:assign",
    "take over": "handover:answer",
    "not take over": "handover:answer",
    "retract": "handover:retract",
}
BY_NAME = {one.name: one for one in LIFECYCLES}


def rows_of(table):
    head, *rows = [
        [cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()
    ]
    return head, rows


def cells():
    for name, table in TABLES.items():
        head, rows = rows_of(table)
        for step, *expected in rows:
            for state, cell in zip(head[1:], expected, strict=True):
                yield pytest.param(name, step, state, cell, id=f"{name}: {step} from {state}")


def step_of(lifecycle, name):
    return next(step for step in lifecycle.steps if step.name == name)


@pytest.mark.parametrize(("name", "step_name", "state", "cell"), list(cells()))
def test_a_step_from_a_state(name, step_name, state, cell):
    step = step_of(BY_NAME[name], step_name)
    if state == "new":
        # A step that begins a lifecycle leaves nothing, and no other step leaves nothing.
        begins = "." if step.leaves else step.enters
        assert begins.startswith(cell)
        return
    now = BY_NAME[name].states(state)
    assert allows(now, step) is (cell != ".")
    if cell == ".":
        with pytest.raises(IllegalStepError) as refused:
            advance(now, step)
        assert (refused.value.step, refused.value.state) == (step_name, state)
    else:
        assert advance(now, step).startswith(now if cell == "=" else cell)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_tables_leave_out_no_step_and_no_state(name):
    head, rows = rows_of(TABLES[name])
    assert [row[0] for row in rows] == [step.name for step in BY_NAME[name].steps]
    assert head[2:] == [state.value for state in BY_NAME[name].states]


def test_each_step_needs_its_permission():
    needed = {step.name: step.needs for one in LIFECYCLES for step in one.steps}
    assert needed == {name: Permission(needs) for name, needs in NEEDS.items()}


def test_every_lifecycle_and_every_step_of_the_module_is_in_a_table():
    assert set(TABLES) == set(BY_NAME)
    declared = [value for value in vars(lifecycle).values() if isinstance(value, Lifecycle)]
    assert declared == list(LIFECYCLES)
    steps = [value for value in vars(lifecycle).values() if isinstance(value, Step)]
    listed = list(itertools.chain.from_iterable(one.steps for one in LIFECYCLES))
    assert sorted(step.name for step in steps) == sorted(step.name for step in listed)
    assert all(step in listed for step in steps)


@pytest.mark.parametrize("one", LIFECYCLES, ids=lambda one: one.name)
def test_every_state_can_be_reached_and_has_a_name_for_people(one):
    reached = {step.enters for step in one.steps if not step.leaves}
    while True:
        further = {step.enters for step in one.steps if step.leaves & reached}
        if further <= reached:
            break
        reached |= further
    assert reached == set(one.states)
    assert all(STATE_LABEL[state] for state in one.states)


@pytest.mark.parametrize(
    "step", [step for one in LIFECYCLES for step in one.steps], ids=lambda step: step.name
)
def test_every_step_speaks_to_people(step):
    assert step.label
    assert step.done.endswith(".")
    # A state that stays as it is cannot also be left by the same step.
    assert not step.leaves & step.stays


def test_help_does_not_wait_for_a_decision():
    # The two axes share no state and no step, so no step of assistance can ask for a decision.
    assistance, identification = BY_NAME["Assistance"], BY_NAME["Identification"]
    for step in assistance.steps:
        assert not (step.leaves | step.stays) & set(Identification)
        assert step not in identification.steps


def test_a_referral_is_open_to_its_receiver_only_while_it_waits_or_is_accepted():
    assert {ReferralState.SENT, ReferralState.ACCEPTED} == LIVE_REFERRALS


def test_a_case_is_open_until_it_is_closed():
    assert set(Assistance) - OPEN_ASSISTANCE == {Assistance.CLOSED}


@pytest.mark.parametrize(
    ("name", "final"),
    [
        ("Assistance", {"closed"}),
        ("Referral", {"declined", "expired", "withdrawn", "ended"}),
        ("Identification", {"presumed"}),
        ("Listing in the directory", set()),
    ],
)
def test_where_nothing_follows(name, final):
    one = BY_NAME[name]
    ends = {state for state in one.states if not any(allows(state, step) for step in one.steps)}
    assert ends == final


@given(st.lists(st.sampled_from(BY_NAME["Referral"].steps), max_size=12))
def test_a_referral_that_is_over_stays_over(steps):
    state, over = ReferralState.SENT, False
    for step in steps:
        if allows(state, step):
            state = advance(state, step)
        assert not (over and state in LIVE_REFERRALS)
        over = over or state not in LIVE_REFERRALS


@given(st.lists(st.sampled_from(BY_NAME["Assistance"].steps), max_size=12))
def test_no_open_case_is_ever_stuck(steps):
    state = Assistance.WAITING
    for step in steps:
        if allows(state, step):
            state = advance(state, step)
    if state is not Assistance.CLOSED:
        # Whatever happened, the coordinator can still record needs, and can still close.
        assert allows(state, lifecycle.RECORD_NEEDS)
        assert allows(state, lifecycle.CLOSE)


@pytest.mark.parametrize(
    ("identification", "assistance", "expected"),
    [
        # A flag that nobody has answered yet comes first.
        ("flagged", "waiting", "read_flag"),
        # From then on help decides what is next, whether or not a presumption was recorded.
        ("presumed", "waiting", "record_needs"),
        ("flagged", "needs_recorded", "find_provider"),
        ("presumed", "needs_recorded", "find_provider"),
        ("flagged", "referred", "await_answer"),
        ("presumed", "referred", "await_answer"),
        ("flagged", "assisted", "follow_up"),
        ("presumed", "assisted", "follow_up"),
        ("flagged", "closed", "nothing"),
        ("presumed", "closed", "nothing"),
    ],
)
def test_what_a_case_asks_of_the_coordinator(identification, assistance, expected):
    asked = next_action(Identification(identification), Assistance(assistance))
    assert asked == expected


def test_every_next_action_has_words():
    assert set(NEXT_ACTION_LABEL) == set(NextAction)
