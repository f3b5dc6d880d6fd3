"""How long somebody stays signed in, and when their screen is covered: one line for each role.

A sitting is the time from signing in to signing out at one browser. It ends by itself in two ways:
when nobody has clicked for a while, and when it has lasted as long as a sitting may, however busy.
Whoever runs the system can make both shorter for everybody, never longer.
"""

from dataclasses import dataclass
from datetime import timedelta

from nrm.domain.roles import Role


@dataclass(frozen=True)
class Lasts:
    """How long a sitting of one role lasts, and how soon its screen is covered."""

    # Without a click.
    idle: timedelta
    # At most, from signing in: about a working day.
    absolute: timedelta
    # Without a key, a touch or a movement: the page is covered against whoever looks over.
    cover: timedelta


# Whoever reads about a person leaves no screen open: a quarter of an hour, and covered in a minute.
_SEES_PERSONS = Lasts(timedelta(minutes=15), timedelta(hours=10), timedelta(seconds=60))
# Whoever flags a person writes while somebody speaks, and is not signed out in mid-sentence.
_WRITES_AT_NIGHT = Lasts(timedelta(minutes=30), timedelta(hours=10), timedelta(seconds=60))
# Whoever can let people in, or look who did what, has a short day too.
_OPENS_DOORS = Lasts(timedelta(minutes=15), timedelta(hours=8), timedelta(seconds=120))
# Nothing on these screens is about a person.
_SEES_NO_PERSON = Lasts(timedelta(minutes=30), timedelta(hours=10), timedelta(seconds=300))

LASTS: dict[Role, Lasts] = {
    Role.FIRST_RESPONDER: _WRITES_AT_NIGHT,
    Role.COORDINATOR: _SEES_PERSONS,
    Role.DECISION_MAKER: _SEES_PERSONS,
    Role.PROVIDER: _SEES_PERSONS,
    Role.DIRECTORY_MANAGER: _SEES_NO_PERSON,
    Role.ANALYST: _SEES_NO_PERSON,
    Role.AUDITOR: _OPENS_DOORS,
    Role.ADMINISTRATOR: _OPENS_DOORS,
    Role.ORGANISATION_ADMINISTRATOR: _OPENS_DOORS,
}

# So long before a sitting ends for want of a click, the page says so (WCAG 2.2.1 asks for 20 s).
WARN_BEFORE = timedelta(minutes=2)
