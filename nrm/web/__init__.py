"""The screens: every blueprint, and what all of them share."""

from flask import Flask
from flask_babel import Babel
from flask_wtf import CSRFProtect
from govuk_frontend_wtf.main import WTFormsHelpers
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from nrm.security.keyring import Purpose
from nrm.services import keys
from nrm.web import (
    absence,
    access,
    account,
    approvals,
    assets,
    audit,
    bars,
    bulletin,
    casefile,
    comparison,
    confirm,
    consent,
    context,
    decision,
    directory,
    documents,
    erasure,
    errors,
    exploitation,
    federation,
    glass,
    glass_review,
    hand_over,
    headers,
    health,
    home,
    identification,
    left_drafts,
    log_state,
    logs,
    masked,
    notices,
    organisations,
    ownership,
    pages,
    people,
    printing,
    provision,
    questionnaires,
    referral,
    role_changes,
    roles,
    search,
    sessions,
    sightings,
    sittings,
    statistics,
    uploads,
    ways,
    welcome,
)

BLUEPRINTS = (
    absence.blueprint,
    account.blueprint,
    approvals.blueprint,
    audit.blueprint,
    bars.blueprint,
    bulletin.blueprint,
    casefile.blueprint,
    comparison.blueprint,
    confirm.blueprint,
    consent.blueprint,
    decision.blueprint,
    directory.blueprint,
    documents.blueprint,
    erasure.blueprint,
    exploitation.blueprint,
    federation.blueprint,
    glass.blueprint,
    glass_review.blueprint,
    hand_over.blueprint,
    health.blueprint,
    home.blueprint,
    identification.blueprint,
    left_drafts.blueprint,
    log_state.blueprint,
    organisations.blueprint,
    notices.blueprint,
    ownership.blueprint,
    pages.blueprint,
    people.blueprint,
    printing.blueprint,
    provision.blueprint,
    questionnaires.blueprint,
    referral.blueprint,
    role_changes.blueprint,
    roles.blueprint,
    search.blueprint,
    sightings.blueprint,
    sittings.blueprint,
    statistics.blueprint,
    welcome.blueprint,
    ways.blueprint,
)

# One document is at most 20 000 characters; a form of many fields stays far below this.
LARGEST_REQUEST = 1024 * 1024


def register(app: Flask) -> None:
    """Attach every screen, closed by default, to the application."""
    # What forms are protected with is derived from the web process's own key, and kept nowhere.
    app.config["SECRET_KEY"] = keys.keyring().derived(Purpose.FORM, "protection")[1]
    # A form is good for as long as the sitting is: a draft typed for two hours still goes through.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.config["WTF_CSRF_SSL_STRICT"] = False
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_REQUEST
    app.request_class = uploads.UploadRequest
    app.session_interface = sessions.ServerSideSessions()
    _templates(app)
    Babel(app, default_locale="en", default_translation_directories=str(context.TRANSLATIONS))
    logs.register(app)
    # Who it is comes before whether the form is good: whoever was signed out is asked to sign in.
    access.register(app)
    CSRFProtect(app)
    headers.register(app)
    errors.register(app)
    context.register(app)
    masked.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    assets.register(app)
    _serve_static(app)
    _believe_proxies(app)


def _templates(app: Flask) -> None:
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["get_locale"] = context.language
    own = app.jinja_loader
    installed = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_options["loader"] = ChoiceLoader([own, installed] if own else [installed])
    app.jinja_loader = app.jinja_options["loader"]
    WTFormsHelpers(app)


def _believe_proxies(app: Flask) -> None:
    """Take the address of a request from exactly so many proxies as there are: not one more."""
    hops = app.config["NRM"].proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]


def _serve_static(app: Flask) -> None:
    """Serve compiled files with their compressed twins; their names change with their content."""
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=app.static_folder,
        prefix="static/",
        immutable_file_test=assets.is_immutable,
        allow_all_origins=False,
        add_headers_function=headers.add_to_file,
    )
