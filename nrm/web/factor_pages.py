"""What the pages of second factors share: the site, the question to a passkey, the square."""

from collections.abc import Callable
from uuid import UUID

import segno
from flask import current_app, flash, request, session
from markupsafe import Markup

from nrm.domain.errors import WrongFactorError
from nrm.security import passkeys
from nrm.security import second_factor as codes
from nrm.security.passkeys import Site
from nrm.services import second_factor
from nrm.services.second_factor import Code, PaperCode, PasskeyAnswer, Proven, Shown
from nrm.web.forms.account import CodeForm, PaperCodeForm, PasskeyForm
from nrm.web.text import _

_CHALLENGE = "challenge"
_LITTLE_LEFT = 3


def address() -> str:
    """Say from where this request came, as far as our own proxies vouch for it."""
    return request.remote_addr or ""


def site() -> Site | None:
    """Say to which site passkeys are bound; none where nobody has said at which address it is."""
    settings = current_app.config["NRM"]
    origin = settings.origin
    if not origin and settings.practice and request.host.partition(":")[0] == "localhost":
        origin = request.host_url.rstrip("/")
    if not origin:
        return None
    host = origin.partition("://")[2].partition(":")[0]
    return Site(_("National Referral Mechanism"), host, origin)


def federated() -> str:
    """Name the other institution whose sign-in counts here; empty where there is none."""
    provider = current_app.config["NRM"].openid
    return provider.name if provider is not None else ""


def is_of_now(issuer: str) -> bool:
    """Say whether this is the other institution whose sign-in counts now."""
    provider = current_app.config["NRM"].openid
    return provider is not None and provider.issuer == issuer


def question(account_id: UUID | None) -> str:
    """Ask the browser for one of an account's passkeys, as JSON; empty where there is none."""
    known, here = second_factor.passkeys_of(account_id), site()
    if not known or here is None:
        return ""
    session[_CHALLENGE] = passkeys.new_challenge()
    return passkeys.to_sign_in(here, session[_CHALLENGE], known)


def question_for_new(account_id: UUID, name: str) -> str:
    """Ask the browser to make a passkey, as JSON; empty where there can be none."""
    here = site()
    if here is None:
        return ""
    session[_CHALLENGE] = passkeys.new_challenge()
    known = second_factor.passkeys_of(account_id)
    return passkeys.to_register(here, session[_CHALLENGE], account_id, name, known)


def challenge() -> str:
    """Take the question that was asked: it is answered once."""
    return str(session.pop(_CHALLENGE, ""))


def shown_code(form: CodeForm) -> Shown:
    """Read a code of an app."""
    return Code(form.code.data or "")


def shown_paper_code(form: PaperCodeForm) -> Shown:
    """Read a recovery code."""
    return PaperCode(form.code.data or "")


def shown_passkey(form: PasskeyForm) -> Shown:
    """Read what a browser answered; raises WrongFactorError where nothing was asked."""
    asked, here = challenge(), site()
    if not asked or here is None:
        raise WrongFactorError("passkey")
    return PasskeyAnswer(form.answer.data or "", asked, here)


def accepted(form: CodeForm | PaperCodeForm, act: Callable[[], object]) -> bool:
    """Do the act if the form is complete; a wrong code is refused in the same words whatever."""
    if not form.validate_on_submit():
        return False
    try:
        act()
    except WrongFactorError:
        form.refuse("code", wrong_words(form))
        form.code.data = ""
        return False
    return True


def wrong_words(form: CodeForm | PaperCodeForm) -> str:
    """Say what to do about a wrong code."""
    if isinstance(form, PaperCodeForm):
        return _("This is not one of your recovery codes, or it was used already.")
    return _(
        "This code is wrong, or it was used already. Wait for the next one. If the next one is "
        "wrong too, look whether your telephone sets its clock by itself."
    )


def told(proven: Proven) -> str:
    """Say how many recovery codes are left, to whoever has just used one."""
    left = proven.codes_left
    if left is None:
        return ""
    words = _("You used a recovery code. You have %(left)s left.", left=left)
    if left <= _LITTLE_LEFT:
        words += " " + _("Make new ones under “Ways to sign in”.")
    return words


def tell(proven: Proven) -> None:
    """Say the same on the next page of this sitting."""
    if words := told(proven):
        flash(words)


def for_app(seed: str, account: str) -> str:
    """Give what an app is set up from: in the square, or opened on the telephone that reads it."""
    return codes.address_of(seed, account, _("National Referral Mechanism"))


def square(seed: str, account: str) -> Markup:
    """Draw what a telephone reads; the library writes nothing into it but numbers."""
    drawn = segno.make(for_app(seed, account), error="m", micro=False)
    svg = drawn.svg_inline(
        border=4, dark="#000000", light="#ffffff", svgclass=None, lineclass=None, omitsize=True
    )
    return Markup(svg)  # noqa: S704 - made of numbers by the library, nothing of it was typed
