"""The bulletin of a release: as a page that can be printed, and as a PDF to take away."""

from uuid import UUID

from flask import Blueprint, Response, current_app, render_template

from nrm.domain.policy import holds
from nrm.domain.roles import Permission
from nrm.services import bulletin
from nrm.services.bulletin import Reader
from nrm.statistics.bulletin import Voice
from nrm.web.access import actor, needs
from nrm.web.context import day, language, pack
from nrm.web.files import handed_out
from nrm.web.statistics_pictures import ground, say
from nrm.web.statistics_words import period_words

blueprint = Blueprint("bulletin", __name__)


@blueprint.get("/statistics/releases/<uuid:release_id>/bulletin")
@needs(Permission.STATISTICS_VIEW)
def page(release_id: UUID) -> str:
    """Show the whole of a release, to be read or printed."""
    return render_template(
        "bulletin/page.html",
        bulletin=bulletin.read(actor(), release_id, pack(), _reader()),
        release_id=release_id,
        can_take_out=holds(actor(), Permission.STATISTICS_EXPORT),
    )


@blueprint.get("/statistics/releases/<uuid:release_id>/bulletin.pdf")
@needs(Permission.STATISTICS_EXPORT)
def pdf(release_id: UUID) -> Response:
    """Hand the same out as a file, which the log knows before it leaves."""
    return handed_out(bulletin.take_out(actor(), release_id, pack(), _reader()))


def _reader() -> Reader:
    voice = Voice(say, day, period_words)
    return Reader(voice, ground(), language(), current_app.config["NRM"].practice)
