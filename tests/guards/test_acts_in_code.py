"""The code and the log speak of the same acts: each name is written, and nothing without a name."""

import ast

import pytest

from nrm.audit.actions import Action
from tests.guards.test_code import FILES, trees

pytestmark = pytest.mark.databases("sqlite")

WRITERS = {
    *("record", "record_alone", "record_entry"),
    *("audit.record", "audit.record_alone", "departures.begin"),
}
# Written by nothing yet.
UNWRITTEN = {Action.DIRECTORY_LOAD: "tests write it for an act that is nobody's"}
# Whatever was begun under a name is finished under the same, which is read and not said again.
NAMED_BEFORE = {("_close", "nrm/services/departures.py")}


def functions():
    return [node for _, node in functions_by_file()]


def functions_by_file():
    return [
        (path, node)
        for path, tree in trees(FILES)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]


def calls(function, names):
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names
    ]


def hands_on(function):
    """Say whether a function is told which act it is, and so writes what its callers say."""
    arguments = [*function.args.args, *function.args.kwonlyargs]
    return any(
        argument.annotation is not None and ast.unparse(argument.annotation) == "Action"
        for argument in arguments
    )


def acts_named(call):
    """List the acts that stand among the arguments of a call by their names."""
    return {
        part.attr
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        for part in ast.walk(argument)
        if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "Action"
    }


def test_every_act_of_the_log_is_written_somewhere():
    handing_on = {
        function.name for function in functions() if hands_on(function) and calls(function, WRITERS)
    }
    written = {
        name
        for function in functions()
        for call in calls(function, WRITERS | handing_on)
        for name in acts_named(call)
    }
    assert {act for act in Action if act.name not in written} == set(UNWRITTEN)


def test_every_entry_says_by_its_name_which_act_it_is_of():
    """An act that is put together from a text could be one that the auditor cannot search for."""
    members = {act.name for act in Action}
    writing = [
        (path, function, acts_named(call))
        for path, function in functions_by_file()
        for call in calls(function, WRITERS)
    ]
    assert len(writing) > len(Action) / 2
    nameless = {
        (function.name, path)
        for path, function, acts in writing
        if not hands_on(function) and not (acts and acts <= members)
    }
    assert nameless == NAMED_BEFORE


def test_every_act_at_the_console_leaves_its_entry():
    """Beside what the services do, which another guard looks at, a few commands act themselves."""
    console = [
        (path, function)
        for path, function in functions_by_file()
        if path.startswith("nrm/cli/") and calls(function, {"unit_of_work"})
    ]
    assert len(console) > 2
    assert [place for place in console if not calls(place[1], WRITERS)] == []
