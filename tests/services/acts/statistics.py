"""The acts of taking statistics out."""

# ruff: noqa: ARG005

from uuid import uuid4

from nrm.audit.actions import Action, Outcome
from nrm.services import bulletin, figures, questionnaires, statistics_export
from nrm.statistics.bulletin import Voice
from nrm.statistics.pictures import Ground
from tests import releases
from tests.services.act import Act

READER = bulletin.Reader(Voice(str, str, str), Ground("Practice", []), "en", practice=True)


def _frozen(world):
    releases.flagged(40)
    return releases.frozen(world, world.app.config["NRM"])


def _read_bulletin(world, actor, what, **_):
    return bulletin.read(actor, what, world.pack, READER)


def _take_bulletin(world, actor, what, **_):
    return bulletin.take_out(actor, what, world.pack, READER)


def _take_release(world, actor, what, **_):
    return statistics_export.take_release(actor, what, "csv", world.pack, number="R3")


def _take_questionnaire(world, actor, what, **_):
    return statistics_export.take_questionnaire(actor, "us-tip", what, "json", world.pack)


ACTS = [
    Act(
        "answer a questionnaire",
        "analyst",
        _frozen,
        lambda world, actor, what, **_: questionnaires.fill(actor, "us-tip", what, world.pack.code),
        Action.STATISTICS_VIEW,
        "release",
        purpose="us-tip",
        missing=lambda world, actor: questionnaires.fill(actor, "us-tip", uuid4(), "rw"),
    ),
    Act(
        "read a release as a bulletin",
        "analyst",
        _frozen,
        _read_bulletin,
        Action.STATISTICS_VIEW,
        "release",
        purpose=" ".join(one for one in figures.listed("rw") if one != "R8a"),
        missing=lambda world, actor: _read_bulletin(world, actor, uuid4()),
    ),
    Act(
        "take a bulletin out",
        "analyst",
        _frozen,
        _take_bulletin,
        Action.STATISTICS_EXPORT,
        "release",
        purpose="pdf bulletin",
        missing=lambda world, actor: _take_bulletin(world, actor, uuid4()),
        outcome=Outcome.BEGUN,
    ),
    Act(
        "take a release of the statistics out",
        "analyst",
        _frozen,
        _take_release,
        Action.STATISTICS_EXPORT,
        "release",
        purpose="csv R3",
        missing=lambda world, actor: _take_release(world, actor, uuid4()),
        outcome=Outcome.BEGUN,
    ),
    Act(
        "take a questionnaire out",
        "analyst",
        _frozen,
        _take_questionnaire,
        Action.STATISTICS_EXPORT,
        "release",
        purpose="json us-tip",
        missing=lambda world, actor: _take_questionnaire(world, actor, uuid4()),
        outcome=Outcome.BEGUN,
    ),
]
