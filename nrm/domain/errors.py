"""What can go wrong in the mechanism, as the services say it and the edges translate it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


class MechanismError(Exception):
    """The act did not happen; nothing was changed."""


@dataclass(frozen=True)
class Subject:
    """The record an act is about, by opaque ids only, so that it may stand in a log."""

    kind: str
    id: UUID | None = None
    case_id: UUID | None = None


NOTHING = Subject("none")


class NotFoundError(MechanismError):
    """Out of sight: it does not exist, or the actor may not know that it does (404)."""

    def __init__(self, subject: Subject = NOTHING) -> None:
        """Carry the subject only where it exists, so that the refusal can be logged."""
        super().__init__("not found")
        self.subject = subject


class ErasedError(MechanismError):
    """The file was erased: nobody can read it any more, and nothing is done to it (410)."""

    def __init__(self, subject: Subject, reference: str, erased_at: datetime) -> None:
        """Carry by which reference the actor knows it, and since when it is gone."""
        super().__init__("erased")
        self.subject = subject
        self.reference = reference
        self.erased_at = erased_at


class RefusedError(MechanismError):
    """In sight, but not for this actor to do (403)."""

    def __init__(self, reason: str, permission: str = "", subject: Subject = NOTHING) -> None:
        """Carry the plain reason for the page and the permission's name for the log."""
        super().__init__(reason)
        self.reason = reason
        self.permission = permission
        self.subject = subject


class NoConsentError(RefusedError):
    """Nothing that the person agreed to, and no exception of the law, covers the disclosure."""


class IllegalStepError(MechanismError):
    """The step does not leave the state in which the record stands (409)."""

    def __init__(self, step: str, state: str) -> None:
        """Name the step and the state that refuses it."""
        super().__init__(f"{step} does not leave {state}")
        self.step = step
        self.state = state


class ConflictError(MechanismError):
    """Somebody else was faster (409); says who and when, never what they wrote."""

    def __init__(self, words: str, who: str = "", when: datetime | None = None) -> None:
        """Carry what happened, by whom and when, for the page."""
        super().__init__(words)
        self.words = words
        self.who = who
        self.when = when


class InvalidInputError(MechanismError):
    """An answer breaks a rule that only the service knows (422); names the field."""

    def __init__(self, field: str, message: str) -> None:
        """Tie the message to the field of the form that it is about."""
        super().__init__(message)
        self.field = field
        self.message = message


class AlreadyDoneError(MechanismError):
    """The same form was sent before; carries where the first sending led."""

    def __init__(self, outcome: str) -> None:
        """Carry the reference that the first sending produced."""
        super().__init__("already done")
        self.outcome = outcome


class LinkOverError(MechanismError):
    """The link was used, replaced, is too old or never was one (410): all look the same."""

    def __init__(self, subject: Subject = NOTHING, why: str = "") -> None:
        """Carry whose link it was and why it is over, for the log alone."""
        super().__init__("the link is over")
        self.subject = subject
        self.why = why


class WrongFactorError(MechanismError):
    """What was shown as a second factor proves nothing (422); carries why, for the log alone."""

    def __init__(self, why: str) -> None:
        """Carry why as a code: no page ever says more than that it was not right."""
        super().__init__(why)
        self.why = why


class FederationError(MechanismError):
    """Another institution's sign-in proved nothing here (422); carries why, for the log alone."""

    def __init__(self, why: str, subject: Subject = NOTHING) -> None:
        """Carry why as a code, and whose account it was where there is one."""
        super().__init__(why)
        self.why = why
        self.subject = subject


class UnconfirmedError(MechanismError):
    """What was asked for is sensitive: whoever asks shows a second factor first."""


class TooManyTriesError(MechanismError):
    """Somebody has tried too often and must wait (429); the words are the same for everybody."""

    def __init__(self, wait: timedelta) -> None:
        """Carry how long to wait."""
        super().__init__("too many tries")
        self.wait = wait


class StartAgainError(MechanismError):
    """Whoever was about to sign in took too long, or may not any more: they begin at the door."""


class LockedError(MechanismError):
    """The keys for this act are not at hand; nothing is shown (503)."""


class DamagedError(MechanismError):
    """A sealed row does not open as what it claims to be; nothing of it is shown (503)."""


class UnloggedError(MechanismError):
    """The log did not take the entry, so nothing is done and nothing is shown (503)."""


class UnauditedError(RuntimeError):
    """A change to an audited table was about to be committed without its entry in the log."""
