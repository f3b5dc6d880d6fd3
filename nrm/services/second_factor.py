"""Second factors: an app that shows codes, passkeys, and codes on paper for when both are lost.

Every person needs one, whatever their role. What proves a factor works once: a code is taken with
one conditional update, in the transaction that opens the sitting.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, or_, select, update

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import (
    ConflictError,
    DamagedError,
    InvalidInputError,
    LockedError,
    NotFoundError,
    Subject,
    WrongFactorError,
)
from nrm.domain.policy import require
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission
from nrm.domain.text import N_
from nrm.models import Account, FederatedIdentity, RecoveryCode, SecondFactor
from nrm.security import passkeys
from nrm.security import second_factor as codes
from nrm.security.keyring import Purpose
from nrm.security.passkeys import PasskeyError, Site
from nrm.security.sealing import Place, seal, sealed_key_id, unseal
from nrm.services import accounts, federation, keys, notices, sessions
from nrm.services.audit import record

_USE = "second factor"
# As people keep them: one in the pocket, one on the key ring, one in the drawer.
MOST_PASSKEYS = 5
_LAST_ONE = N_("This is your last second factor. Add another one first.")


class FactorKind(StrEnum):
    """With what a person shows that it is them."""

    APP = "app"
    PASSKEY = "passkey"


@dataclass(frozen=True)
class Code:
    """What somebody typed from their app."""

    typed: str


@dataclass(frozen=True)
class PaperCode:
    """What somebody typed from their list of recovery codes."""

    typed: str


@dataclass(frozen=True)
class PasskeyAnswer:
    """What a browser answered, and to which question."""

    answer: str
    challenge: str
    site: Site


Shown = Code | PaperCode | PasskeyAnswer


@dataclass(frozen=True)
class Proven:
    """What was shown, in a word for the log; and how many codes are left, if it was one."""

    by: str
    codes_left: int | None = None


@dataclass(frozen=True)
class Ways:
    """With what an account can sign in."""

    factors: Sequence[SecondFactor]
    codes_left: int
    # The other institution's sign-in, if they connected it.
    connected: FederatedIdentity | None


# Showing one


def prove(unit: Unit, actor: Actor, shown: Shown) -> Proven:
    """Check what was shown, and use it up; raises WrongFactorError with why, for the log."""
    if isinstance(shown, Code):
        return _prove_code(unit, actor, shown)
    if isinstance(shown, PaperCode):
        return _prove_paper_code(unit, actor, shown)
    return _prove_passkey(unit, actor, shown)


def _prove_code(unit: Unit, actor: Actor, shown: Code) -> Proven:
    app = _of(actor.id, FactorKind.APP).first()
    if app is None:
        raise WrongFactorError("code")
    seed = _seed(app)
    step = codes.step_for(seed, shown.typed, unit.now)
    if step is None:
        off = codes.clock_is_off(seed, shown.typed, unit.now)
        raise WrongFactorError("code-clock" if off else "code")
    newer = or_(SecondFactor.used_step.is_(None), SecondFactor.used_step < step)
    _use(
        update(SecondFactor)
        .where(SecondFactor.id == app.id, newer)
        .values(used_step=step, used_at=unit.now)
        .returning(SecondFactor.id),
        "code-used",
    )
    return Proven(FactorKind.APP)


def _prove_paper_code(unit: Unit, actor: Actor, shown: PaperCode) -> Proven:
    wanted = codes.recovery_hash(_id(actor), shown.typed)
    kept = db.session.scalars(select(RecoveryCode).where(RecoveryCode.account_id == actor.id)).all()
    found = next((one for one in kept if _hash(one) == wanted), None)
    if found is None:
        raise WrongFactorError("recovery")
    _use(
        update(RecoveryCode)
        .where(RecoveryCode.id == found.id, RecoveryCode.used_at.is_(None))
        .values(used_at=unit.now)
        .returning(RecoveryCode.id),
        "recovery-used",
    )
    left = _codes_left(_id(actor))
    about = Subject("account", actor.id)
    record(unit, actor, Action.RECOVERY_USE, about, counts={"left": left})
    return Proven("recovery", left)


def _prove_passkey(unit: Unit, actor: Actor, shown: PasskeyAnswer) -> Proven:
    own = {one.credential_id: one for one in _of(actor.id, FactorKind.PASSKEY)}
    try:
        key = own.get(passkeys.credential_of(shown.answer))
        known = (key.public_key if key is not None else None) or b""
        count = passkeys.shown(shown.site, shown.challenge, shown.answer, known)
    except PasskeyError:
        raise WrongFactorError("passkey") from None
    if key is None:
        raise WrongFactorError("passkey")
    _judge_count(unit, actor, key, count)
    key.sign_count, key.used_at = max(count, key.sign_count), unit.now
    return Proven(FactorKind.PASSKEY)


def _judge_count(unit: Unit, actor: Actor, key: SecondFactor, count: int) -> None:
    """Refuse a passkey that counts on from an older count: two devices hold it.

    Passkeys that are kept in step on several devices do not count at all, and one that begins or
    stops to do so is let in, with an entry for whoever reads the log.
    """
    if count > key.sign_count or count == key.sign_count == 0:
        return
    if count and key.sign_count:
        raise WrongFactorError("passkey-count")
    record(unit, actor, Action.FACTOR_DOUBT, Subject("factor", key.id))


def _use(statement: Any, otherwise: str) -> None:  # noqa: ANN401 - an update of either table
    """Use something up; of two who do so at once, one finds it used."""
    if db.session.execute(statement).first() is None:
        raise WrongFactorError(otherwise)


# Knowing them


def needed(account_id: UUID | None) -> bool:
    """Say whether an account has no second factor yet, and has to set one up."""
    return db.session.scalars(_confirmed(account_id).limit(1)).first() is None


def passkeys_of(account_id: UUID | None) -> list[bytes]:
    """List the passkeys that a browser may show."""
    return [one.credential_id or b"" for one in _of(account_id, FactorKind.PASSKEY)]


def has_app(account_id: UUID | None) -> bool:
    """Say whether an account has an app that shows codes."""
    return _of(account_id, FactorKind.APP).first() is not None


def ways(actor: Actor) -> Ways:
    """List one's own ways to sign in."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work() as unit:
        found = db.session.scalars(_confirmed(actor.id)).all()
        left = _codes_left(_id(actor))
        counts = {"factors": len(found)}
        record(unit, actor, Action.FACTOR_LIST, Subject("account", actor.id), counts=counts)
    return Ways(found, left, federation.of(actor.id))


def own(actor: Actor, factor_id: UUID) -> SecondFactor:
    """Return one of one's own factors."""
    require(actor, Permission.WORK_VIEW)
    return _own(actor, factor_id)


# Adding, removing


def set_up_app(actor: Actor, seed: str, typed: str, *, form_id: UUID | None = None) -> None:
    """Add an app, or another one in place of the old, once it has shown its first code."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work(actor, form_id) as unit:
        accounts.held(_id(actor))
        for old in _of(actor.id, FactorKind.APP):
            _remove(unit, actor, old)
        first_app(unit, actor, seed, typed)
        unit.outcome = FactorKind.APP


def first_app(unit: Unit, actor: Actor, seed: str, typed: str) -> None:
    """Add an app within the act of its caller; its first code is used up by that."""
    step = codes.step_for(seed, typed, unit.now)
    if step is None:
        raise WrongFactorError("code")
    added = add_app(unit, _id(actor), seed, step)
    record(unit, actor, Action.FACTOR_ADD, Subject("factor", added.id), purpose=FactorKind.APP)
    notices.tell_of_sign_in(unit, actor, _id(actor), "app_added")


def add_app(unit: Unit, account_id: UUID, seed: str, used_step: int | None = None) -> SecondFactor:
    """Keep the seed of an app, sealed; its caller records who added it."""
    factor_id = uuid4()
    app = SecondFactor(
        id=factor_id,
        account_id=account_id,
        kind=FactorKind.APP.value,
        seed=_seal(SecondFactor.__tablename__, factor_id, {"seed": seed}),
        used_step=used_step,
        sign_count=0,
        added_at=unit.now,
        confirmed_at=unit.now,
    )
    db.session.add(app)
    db.session.flush()
    return app


def add_passkey(
    actor: Actor, site: Site, challenge: str, answer: str, *, form_id: UUID | None = None
) -> None:
    """Add a passkey that the browser has just made."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work(actor, form_id) as unit:
        accounts.held(_id(actor))
        if len(_of(actor.id, FactorKind.PASSKEY).all()) >= MOST_PASSKEYS:
            raise InvalidInputError("answer", N_("You have five passkeys. Remove one first."))
        try:
            made = passkeys.registered(site, challenge, answer)
        except PasskeyError:
            raise WrongFactorError("passkey") from None
        known = select(SecondFactor.id).where(SecondFactor.credential_id == made.credential_id)
        if db.session.scalar(known) is not None:
            raise WrongFactorError("passkey")
        key = SecondFactor(
            id=uuid4(),
            account_id=_id(actor),
            kind=FactorKind.PASSKEY.value,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            added_at=unit.now,
            confirmed_at=unit.now,
        )
        db.session.add(key)
        db.session.flush()
        subject = Subject("factor", key.id)
        record(unit, actor, Action.FACTOR_ADD, subject, purpose=FactorKind.PASSKEY)
        notices.tell_of_sign_in(unit, actor, key.account_id, "passkey_added")
        unit.outcome = str(key.id)


def remove(actor: Actor, factor_id: UUID, *, form_id: UUID | None = None) -> None:
    """Remove one of one's own factors; the last one stays."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work(actor, form_id) as unit:
        accounts.held(_id(actor))
        factor = _own(actor, factor_id)
        if len(db.session.scalars(_confirmed(actor.id)).all()) == 1:
            raise ConflictError(_LAST_ONE)
        _remove(unit, actor, factor)
        notices.tell_of_sign_in(unit, actor, factor.account_id, f"{factor.kind}_removed")
        unit.outcome = str(factor_id)


def make_codes(actor: Actor, *, form_id: UUID | None = None) -> list[str]:
    """Make new recovery codes, which are shown once; the old ones are worth nothing any more."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work(actor, form_id) as unit:
        accounts.held(_id(actor))
        unit.outcome = str(actor.id)
        return new_codes(unit, actor)


def new_codes(unit: Unit, actor: Actor) -> list[str]:
    """Make new recovery codes within the act of a caller who holds the account."""
    account_id = _id(actor)
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    made = [codes.new_recovery_code() for _ in range(codes.RECOVERY_CODES)]
    for code in made:
        code_id = uuid4()
        hashed = {"hash": codes.recovery_hash(account_id, code)}
        sealed = _seal(RecoveryCode.__tablename__, code_id, hashed)
        db.session.add(
            RecoveryCode(id=code_id, account_id=account_id, sealed_hash=sealed, made_at=unit.now)
        )
    subject = Subject("account", account_id)
    record(unit, actor, Action.RECOVERY_MAKE, subject, counts={"codes": len(made)})
    notices.tell_of_sign_in(unit, actor, account_id, "codes_made")
    return made


def reset(unit: Unit, actor: Actor, account_id: UUID) -> int:
    """Take all second factors of a person who lost them; returns how many.

    The next sign-in sets one up anew, so whoever calls this has made sure who asks for it. Whoever
    sits somewhere as this person is signed out.
    """
    accounts.held(account_id)
    sessions.end_all(account_id)
    # It could have been connected by whoever found the telephone.
    federation.forget(account_id)
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    gone = db.session.execute(
        delete(SecondFactor).where(SecondFactor.account_id == account_id).returning(SecondFactor.id)
    ).all()
    counts = {"factors": len(gone)}
    record(unit, actor, Action.FACTOR_RESET, Subject("account", account_id), counts=counts)
    notices.tell_of_sign_in(unit, actor, account_id, "factors_reset")
    return len(gone)


def reset_by_email(email: str) -> str:
    """Take all second factors of a person, at the console; returns their name."""
    with unit_of_work() as unit:
        found = select(Account).where(Account.email == email)
        account = db.session.scalars(found).one_or_none()
        if account is None:
            raise NotFoundError(Subject("account"))
        reset(unit, HOUSEKEEPING, account.id)
        return account.name


def _remove(unit: Unit, actor: Actor, factor: SecondFactor) -> None:
    db.session.delete(factor)
    db.session.flush()
    subject = Subject("factor", factor.id)
    record(unit, actor, Action.FACTOR_REMOVE, subject, purpose=factor.kind)


def _own(actor: Actor, factor_id: UUID) -> SecondFactor:
    factor = db.session.get(SecondFactor, factor_id)
    if factor is None or factor.account_id != actor.id:
        raise NotFoundError(Subject("factor", factor.id if factor is not None else None))
    return factor


def _confirmed(account_id: UUID | None) -> Any:  # noqa: ANN401 - a selection of factors
    return (
        select(SecondFactor)
        .where(SecondFactor.account_id == account_id, SecondFactor.confirmed_at.is_not(None))
        .order_by(SecondFactor.added_at, SecondFactor.id)
    )


def _of(account_id: UUID | None, kind: FactorKind) -> Any:  # noqa: ANN401 - factors of one kind
    return db.session.scalars(_confirmed(account_id).where(SecondFactor.kind == kind.value))


def _codes_left(account_id: UUID) -> int:
    left = select(func.count()).where(
        RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalars(left).one()


def _id(actor: Actor) -> UUID:
    if actor.id is None:
        raise NotFoundError(Subject("account"))
    return actor.id


# Sealing


def seal_anew() -> tuple[int, int]:
    """Seal every seed and every hash under the newest key, within the act of a rotation.

    Returns how many were, and how many do not open: those stay as they are.
    """
    done = damaged = 0
    primary = keys.ring_to_wrap(Purpose.FACTOR).current_id(Purpose.FACTOR)
    seeds = db.session.scalars(select(SecondFactor).where(SecondFactor.seed.is_not(None)))
    hashes = db.session.scalars(select(RecoveryCode))
    for row, column in _columns(seeds, hashes):
        kept: bytes = getattr(row, column)
        if sealed_key_id(kept) == primary:
            continue
        try:
            setattr(row, column, _seal(row.__tablename__, row.id, _unseal(row, kept)))
        except (DamagedError, LockedError):
            damaged += 1
        else:
            done += 1
    return done, damaged


def _columns(
    seeds: Iterable[SecondFactor], hashes: Iterable[RecoveryCode]
) -> Iterable[tuple[SecondFactor | RecoveryCode, str]]:
    yield from ((one, "seed") for one in seeds)
    yield from ((one, "sealed_hash") for one in hashes)


def _seal(table: str, row_id: UUID, document: dict[str, str]) -> bytes:
    # A rotation waits for this act: nothing is sealed under an old key behind its back.
    ring_id, key = keys.ring_to_wrap(Purpose.FACTOR).derived(Purpose.FACTOR, _USE)
    return seal(key, Place(table, row_id, _USE, 1, ring_id), document)


def _unseal(row: SecondFactor | RecoveryCode, sealed: bytes) -> dict[str, Any]:
    ring_id = sealed_key_id(sealed)
    key = keys.derived_from(ring_id, Purpose.FACTOR, _USE)
    return unseal(key, Place(row.__tablename__, row.id, _USE, 1, ring_id), sealed)


def _seed(app: SecondFactor) -> str:
    return str(_unseal(app, app.seed or b"")["seed"])


def _hash(code: RecoveryCode) -> str:
    return str(_unseal(code, code.sealed_hash)["hash"])


def last_used_step(email: str) -> int | None:
    """Say up to which step the codes of an account are used up; no key is needed for that."""
    return db.session.scalar(
        select(func.max(SecondFactor.used_step))
        .join(Account, Account.id == SecondFactor.account_id)
        .where(Account.email == email)
    )
