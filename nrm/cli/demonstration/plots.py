"""What can happen to a practice case, from the shortest story to the longest.

A step is an eighth of the time that a provider has to answer, so that the urgent go faster: half
an hour where it is immediate, nine hours where it is not.
"""

from collections.abc import Callable
from datetime import timedelta

from nrm.cli.demonstration.acts import CaseActs
from nrm.cli.demonstration.timeline import Script
from nrm.domain.consent import Answer

_DAY = timedelta(days=1)


def _steps(case: CaseActs, number: int = 1) -> timedelta:
    return case.answer_time * number / 8


def flagged(case: CaseActs) -> Script:
    """Flagged; the coordinator has not read it yet."""
    yield from case.flag()


def presumed(case: CaseActs) -> Script:
    """Presumed to be a victim; needs and the kind of exploitation are not recorded yet."""
    yield from flagged(case)
    yield _steps(case)
    case.presume()


def needs_first(case: CaseActs) -> Script:
    """Needs are recorded before any presumption, because help does not wait."""
    yield from flagged(case)
    yield _steps(case)
    case.record_needs()


def needs_known(case: CaseActs) -> Script:
    """Presumed, with recorded needs; no provider was asked yet."""
    yield from presumed(case)
    yield _steps(case)
    case.record_exploitation()
    case.record_needs()


def asked(case: CaseActs) -> Script:
    """A provider has the referral and has not answered yet."""
    yield from needs_known(case)
    yield _steps(case)
    case.look_into("identity")
    case.ask(case.story.needs[0])


def asked_first(case: CaseActs) -> Script:
    """A provider is asked before any presumption."""
    yield from needs_first(case)
    yield _steps(case)
    case.ask(case.story.needs[0])


def accepted(case: CaseActs) -> Script:
    """A provider accepted and is about to begin."""
    yield from asked(case)
    yield _steps(case, 2)
    case.accept()


def accepted_first(case: CaseActs) -> Script:
    """A provider helps a person who is not presumed to be a victim yet."""
    yield from asked_first(case)
    yield _steps(case, 2)
    case.accept()
    case.serve()


def helped(case: CaseActs) -> Script:
    """A provider accepted and has given a first service; a paper of the person is kept."""
    yield from accepted(case)
    case.keep_paper()
    yield _DAY
    case.serve(1)


def helped_by_two(case: CaseActs) -> Script:
    """One provider helps, and a second one was asked for something else."""
    yield from helped(case)
    yield _steps(case)
    case.ask(case.story.needs[1])


def consent_withdrawn(case: CaseActs) -> Script:
    """The person took back what they had agreed to share: the provider sees no more of the file."""
    yield from helped(case)
    yield _DAY
    case.agree(Answer.WITHDRAWN)


def declined(case: CaseActs) -> Script:
    """The provider declined; the coordinator looks for another one."""
    yield from asked(case)
    yield _steps(case, 2)
    case.decline("no_capacity")


def declined_then_helped(case: CaseActs) -> Script:
    """One provider declined, another one helps."""
    yield from declined(case)
    yield _steps(case)
    case.ask(case.story.needs[1])
    yield _steps(case)
    case.accept()
    yield _DAY
    case.serve(1, "partly_given")


def unanswered(case: CaseActs) -> Script:
    """The provider did not answer in time."""
    yield from needs_known(case)
    yield _steps(case)
    case.ask(case.story.needs[0], answering=False)
    yield _steps(case, 8) + timedelta(minutes=1)
    case.let_time_run_out()


def unanswered_then_asked(case: CaseActs) -> Script:
    """One provider did not answer in time, another one was asked."""
    yield from unanswered(case)
    yield _steps(case)
    case.ask(case.story.needs[1])


def withdrawn(case: CaseActs) -> Script:
    """The coordinator took the referral back before it was answered."""
    yield from asked(case)
    yield _steps(case)
    case.withdraw()


def ended(case: CaseActs) -> Script:
    """The provider's part is over, and the person needs something more."""
    yield from helped(case)
    yield 5 * _DAY
    case.serve(6)
    case.end()


def completed(case: CaseActs) -> Script:
    """Helped until nothing more was needed, and closed."""
    yield from ended(case)
    yield _DAY
    case.close("plan_completed")


def moved_on(case: CaseActs) -> Script:
    """Closed while a referral was waiting, because another country took the case over."""
    yield from asked(case)
    yield _steps(case)
    case.close("moved_abroad")


def erased(case: CaseActs) -> Script:
    """Flagged by mistake, closed, and erased by two people."""
    yield from flagged(case)
    yield _steps(case, 2)
    case.close("not_a_victim")
    yield _DAY
    case.erase("flagged_by_mistake")


def closed_early(reason: str) -> Callable[[CaseActs], Script]:
    """Closed before anyone was asked for help."""

    def plot(case: CaseActs) -> Script:
        yield from flagged(case)
        yield _steps(case, 2)
        case.close(reason)

    return plot
