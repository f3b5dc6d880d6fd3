"""Growing delays for whoever fails to sign in, without letting anyone lock out a colleague.

A try is counted before it is looked at, so that a hundred tries at once are a hundred tries. Three
things are counted: an account from one network, an account from wherever it did not come in lately,
and a network whatever the account. All of it by keyed hashes: the table names nobody. An account
that does not exist is counted like one that does.
"""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, or_
from sqlalchemy.exc import IntegrityError

from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import TooManyTriesError
from nrm.models import SignInDelay
from nrm.security.keyring import Purpose
from nrm.services import keys

# From a network from which an account came in within this time, strangers elsewhere cannot keep it.
FAMILIAR = timedelta(days=30)


class Step(StrEnum):
    """What was tried: a password, a code after it, or another institution's sign-in."""

    PASSWORD = "password"  # noqa: S105 - a step, and no password
    CODE = "code"
    FEDERATED = "federated"


@dataclass(frozen=True)
class Rule:
    """After how many failures a delay begins; it doubles with each, up to a most."""

    free: int
    first: timedelta
    most: timedelta
    forgotten: timedelta = timedelta(hours=24)

    def wait(self, failures: int) -> timedelta:
        """Say how long to wait after so many failures."""
        over = failures - self.free
        if over <= 0:
            return timedelta(0)
        # Twenty doublings of a second are more than any most.
        doubled: timedelta = self.first * 2 ** min(over - 1, 20)
        return min(self.most, doubled)


# Everybody mistypes a few times; a machine that guesses soon waits a quarter of an hour for each.
FROM_ONE_NETWORK = Rule(4, timedelta(seconds=5), timedelta(minutes=15))
# An office behind one address: gentle, and soon over.
NETWORK = Rule(30, timedelta(seconds=1), timedelta(seconds=30), timedelta(hours=1))
# Guessers on many networks; whoever comes in from a usual one is not held up by them.
FROM_ELSEWHERE = {
    Step.PASSWORD: Rule(10, timedelta(seconds=2), timedelta(minutes=1)),
    Step.CODE: Rule(10, timedelta(seconds=2), timedelta(minutes=15)),
}
_KEPT = max(FROM_ONE_NETWORK.forgotten, NETWORK.forgotten, *(
    rule.forgotten for rule in FROM_ELSEWHERE.values()
))  # fmt: skip


def network_of(address: str) -> str:
    """Name the network of an address: its /24, or its /64."""
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return "nowhere"
    if isinstance(one, ipaddress.IPv6Address) and one.ipv4_mapped is not None:
        one = one.ipv4_mapped
    return str(ipaddress.ip_network((one, 24 if one.version == 4 else 64), strict=False))  # noqa: PLR2004 - the old kind


def begin(step: Step, who: str, address: str) -> None:
    """Count a try before it is looked at; raises TooManyTriesError while it has to wait.

    `who` is the e-mail address as it was typed, whether or not there is such an account.
    """
    try:
        _begin(step, who, address)
    except IntegrityError:
        # Somebody else counted the first try of the same at this moment.
        _begin(step, who, address)


def _begin(step: Step, who: str, address: str) -> None:
    with unit_of_work() as unit:
        _count(unit, step, who, network_of(address))


def _count(unit: Unit, step: Step, who: str, network: str) -> None:
    counted = _rules(unit, step, who, network)
    waits = max(
        (row.waits_until for row, _ in counted if row.waits_until is not None), default=unit.now
    )
    if waits > unit.now:
        raise TooManyTriesError(waits - unit.now)
    for row, rule in counted:
        if row.failed_at is None or row.failed_at <= unit.now - rule.forgotten:
            row.failures = 0
        row.failures += 1
        row.failed_at = unit.now
        wait = rule.wait(row.failures)
        # No wait is no moment either: whoever began a little earlier and came a little later, as
        # of two at once, would else wait for it.
        row.waits_until = unit.now + wait if wait else None


def _rules(unit: Unit, step: Step, who: str, network: str) -> list[tuple[SignInDelay, Rule]]:
    """Hold what is counted for a try; always in this order, so that no two wait for each other."""
    counted = [(_held(_hash("network", network)), NETWORK)]
    if step is Step.FEDERATED:
        # Whose account it is comes out only when the try was right.
        return counted
    counted.append((_held(_pair(step, who, network)), FROM_ONE_NETWORK))
    known = db.session.get(SignInDelay, _pair(Step.PASSWORD, who, network))
    lately = known.succeeded_at if known is not None else None
    if lately is None or lately <= unit.now - FAMILIAR:
        counted.append((_held(_hash("elsewhere", step, who)), FROM_ELSEWHERE[step]))
    return counted


def right(unit: Unit, step: Step, who: str, address: str) -> None:
    """Take back what `begin` counted: the try was right, and this network starts afresh."""
    for row, rule in _rules(unit, step, who, network_of(address)):
        row.failures = 0 if rule is FROM_ONE_NETWORK else max(0, row.failures - 1)
        row.waits_until = None


def came_in(unit: Unit, who: str, address: str) -> None:
    """Remember from which network an account came in."""
    _held(_pair(Step.PASSWORD, who, network_of(address))).succeeded_at = unit.now


def sweep() -> int:
    """Forget what is of no more use; returns how many counts."""
    with unit_of_work() as unit:
        old = or_(SignInDelay.failed_at.is_(None), SignInDelay.failed_at <= unit.now - _KEPT)
        away = or_(
            SignInDelay.succeeded_at.is_(None), SignInDelay.succeeded_at <= unit.now - FAMILIAR
        )
        gone = db.session.execute(
            delete(SignInDelay).where(old, away).returning(SignInDelay.key_hash)
        ).all()
    return len(gone)


def _pair(step: Step, who: str, network: str) -> bytes:
    return _hash("from", step, who, network)


def _hash(*parts: str) -> bytes:
    """Name what is counted so that only the holder of the key can tell what it is."""
    return keys.keyring().fingerprint(Purpose.SESSION, "sign-in delay", "\0".join(parts).encode())


def _held(key_hash: bytes) -> SignInDelay:
    row = db.session.get(SignInDelay, key_hash, with_for_update=True)
    if row is None:
        row = SignInDelay(key_hash=key_hash, failures=0)
        db.session.add(row)
        db.session.flush()
    return row
