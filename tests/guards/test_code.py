"""House rules that no linter knows: who decides, who commits, who writes SQL, and what is said."""

import ast
import functools
import re

import pytest

from tests.databases import ROOT

pytestmark = pytest.mark.databases("sqlite")

PACKAGE = ROOT / "nrm"
FILES = sorted(PACKAGE.rglob("*.py"))
WEB = [path for path in FILES if path.is_relative_to(PACKAGE / "web")]
# Rooms whose public functions say what they mean in the mechanism.
SAID = [
    path
    for path in FILES
    if path.is_relative_to(PACKAGE / "services") or path.is_relative_to(PACKAGE / "domain")
]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def trees(paths):
    return [(name_of(path), tree_of(path)) for path in paths]


def found(paths, kind, wrong):
    """List where a node of some kind is wrong, as file:line."""
    return [
        f"{name}:{node.lineno}"
        for name, tree in trees(paths)
        for node in ast.walk(tree)
        if isinstance(node, kind) and wrong(node)
    ]


def called(node):
    """Give the last part of what is called: `commit` of `db.session.commit()`."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def mentions_a_role(node):
    return any(
        (isinstance(part, ast.Attribute) and part.attr == "role")
        or (isinstance(part, ast.Name) and part.id in {"role", "Role"})
        for part in ast.walk(node)
    )


def test_no_screen_decides_by_a_role():
    """`if role == …` beside the grant table would be a second one that nobody reads."""
    decides = (ast.If, ast.IfExp, ast.While, ast.Assert, ast.Match)
    places = found(
        WEB,
        decides,
        lambda node: mentions_a_role(node.subject if isinstance(node, ast.Match) else node.test),
    )
    assert places == []
    assert found(WEB, ast.Compare, mentions_a_role) == []


def test_no_screen_commits_or_writes():
    written = {"commit", "flush", "add", "add_all", "delete", "merge", "begin"}
    session = lambda node: "session" in ast.unparse(node.func) and called(node) in written  # noqa: E731
    assert found(WEB, ast.Call, session) == []


def test_only_the_unit_of_work_commits():
    committing = found(FILES, ast.Call, lambda node: called(node) == "commit" and not node.args)
    assert [place.partition(":")[0] for place in committing] == ["nrm/db.py"]


def test_no_statement_is_put_together_from_texts():
    """SQL that is written as text is one constant; values are bound, never pasted in."""

    def pasted(node):
        if called(node) not in {"text", "execute", "exec_driver_sql", "scalar", "scalars"}:
            return False
        return any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in node.args[:1])

    # SQLite's own settings are not data, and cannot be bound.
    allowed = {"nrm/db.py"}
    assert {place.partition(":")[0] for place in found(FILES, ast.Call, pasted)} <= allowed


def test_every_text_of_sql_is_a_constant():
    texts = found(
        FILES,
        ast.Call,
        lambda node: called(node) == "text" and not isinstance(node.args[0], ast.Constant),
    )
    assert texts == []


def test_nothing_is_fetched_past_the_policy():
    """`.query` of the library fetches any row by its number, whoever asks."""
    old = lambda node: isinstance(node.value, ast.expr) and node.attr == "query"  # noqa: E731
    assert found(FILES, ast.Attribute, old) == []


def test_rows_are_changed_at_once_by_services_alone_and_never_all_of_them():
    """A statement over rows goes past the version of each: its condition is what guards them."""
    changing = lambda node: is_sql(node, "update", "delete")  # noqa: E731
    places = found(FILES, ast.Call, changing)
    assert len(places) > 10
    assert all(place.startswith("nrm/services/") for place in places)
    with_condition = {
        id(part)
        for _name, tree in trees(FILES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "where"
        for part in ast.walk(node.value)
    }
    assert (
        found(FILES, ast.Call, lambda node: changing(node) and id(node) not in with_condition) == []
    )


def is_sql(node, *names):
    """Say whether SQLAlchemy's own function is called, not a method of the same name."""
    return isinstance(node.func, ast.Name) and node.func.id in names


def test_only_these_open_and_seal():
    """The import rules keep sealing to these services, each of which says why it must."""
    importers = {
        name
        for name, tree in trees(FILES)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "nrm.security.sealing"
    }
    assert importers == {
        "nrm/services/approvals.py",
        "nrm/services/audit.py",
        "nrm/services/resealing.py",
        "nrm/services/second_factor.py",
        "nrm/services/sessions.py",
        "nrm/services/counting.py",
        "nrm/services/vault.py",
    }


@pytest.mark.parametrize("path", SAID, ids=name_of)
def test_every_public_function_says_what_it_means(path):
    tree = tree_of(path)
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_file_says_what_it_is():
    assert [
        name
        for name, tree in trees(FILES)
        if tree.body and not ast.get_docstring(tree) and name not in WITHOUT_WORDS
    ] == []


# These say it by their name alone.
WITHOUT_WORDS = {"nrm/cli/__main__.py"}


def test_nothing_below_the_screens_speaks_to_a_terminal_or_a_log():
    """A message that is printed holds what was typed sooner or later; the log has one place."""
    # One file below is a program as well, which a stranger runs by itself.
    below = [
        path
        for path in FILES
        if not path.is_relative_to(PACKAGE / "cli") and path != PACKAGE / "audit" / "verify.py"
    ]
    assert found(below, ast.Call, lambda node: ast.unparse(node.func) == "print") == []
    loggers = {
        name
        for name, tree in trees(FILES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) and any(part.name == "logging" for part in node.names)
    }
    assert loggers <= {"nrm/web/logs.py", "nrm/cli/server.py", "nrm/cli/startup.py"}


def test_no_record_is_written_into_a_log():
    """A line of the log is made of words and numbers; a row of ours would bring all it holds."""
    telling = {"debug", "info", "warning", "error", "exception", "critical", "log"}

    def tells(node):
        return (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in telling
            and "log" in ast.unparse(node.func.value).lower()
        )

    lines = found(FILES, ast.Call, tells)
    assert {place.partition(":")[0] for place in lines} <= {
        "nrm/web/logs.py",
        "nrm/cli/server.py",
        "nrm/cli/startup.py",
    }


def test_no_weak_hash_and_no_guessable_number():
    """What a key or a token hangs on is drawn by the system and hashed by what still holds."""
    weak = {"md5", "sha1", "sha", "new"}
    assert found(FILES, ast.Call, lambda node: of_hashlib(node) and called(node) in weak) == []
    drawing = {
        name
        for name, tree in trees(FILES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and "random" in {getattr(node, "module", None), *(part.name for part in node.names)}
    }
    # The practice world is made up the same each time, and the statistics count in made-up ones.
    assert all(name.startswith("nrm/cli/demonstration/") for name in drawing)


def of_hashlib(node):
    return isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "hashlib"


def test_whatever_is_shown_of_an_error_is_its_own_words():
    """`str(error)` on a page would show what a library says of what was typed."""
    assert found(WEB, ast.Call, shows_an_error) == []


def shows_an_error(node):
    return called(node) == "str" and any(
        isinstance(part, ast.Name) and part.id in {"error", "exception", "exc"}
        for part in node.args
    )


def test_only_the_practice_world_acts_in_the_past():
    users = {
        name
        for name, tree in trees(FILES)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and any(part.name == "acting_at" for part in node.names)
    }
    assert all(name.startswith("nrm/cli/demonstration/") for name in users)


def test_words_for_people_are_marked_below_and_translated_above():
    """Below the screens a text is only marked; whoever calls `_()` there has no language yet."""
    below = [path for path in FILES if path not in WEB]
    assert found(below, ast.Call, lambda node: called(node) in {"_", "_l", "gettext"}) == []


def test_every_marked_text_is_whole():
    """Only a constant can be found by the program that collects texts for translation."""

    def broken(node):
        return called(node) in {"N_", "_", "_l"} and not (node.args and whole(node.args[0]))

    places = found(FILES, ast.Call, broken)
    assert [place for place in places if not translates_a_marked_text(place)] == []


def whole(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def translates_a_marked_text(place):
    """Say whether a call translates what was marked where it was written: `_(STEP.done)`."""
    name, _, number = place.partition(":")
    tree = tree_of(ROOT / name)
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.lineno == int(number) and called(node) in {"_", "_l"}
    ]
    return all(
        isinstance(call.args[0], ast.Attribute | ast.Name | ast.Subscript | ast.Call | ast.Constant)
        for call in calls
    )


def test_no_message_is_glued_together():
    """A sentence in pieces cannot be said in another language."""
    glued = re.compile(r"\b_l?\([^()]*\)\s*\+\s*(?:_l?\(|[\"'])")
    assert [name_of(path) for path in WEB if glued.search(path.read_text(encoding="utf-8"))] == []


# The guard before every view answers for addresses and browsers, which no domain error describes.
ABORTS = {"_refuse_invisible_addresses", "_refuse_other_sites"}


def test_no_view_chooses_an_error_page_by_itself():
    assert {name for name, _ in functions_that_call(WEB, "abort")} == ABORTS


def test_no_test_writes_by_hand_what_it_counted():
    """What `counted` is told stands at the end of each run; what a test writes is lost in it."""
    by_hand = {"capsys.disabled", "sys.stdout.write", "print"}
    tests = sorted((ROOT / "tests").rglob("*.py"))
    assert found(tests, ast.Call, lambda node: ast.unparse(node.func) in by_hand) == []


# Units of work that need no entry: nothing of them is audited, and the guard in db.py agrees.
UNRECORDED = {
    ("ending", "nrm/services/provision.py"): "asks whether a step is open; opens nothing sealed",
    ("live_referral", "nrm/services/referral.py"): "the same, before a referral is taken back",
    ("answering", "nrm/services/erasure.py"): "the same, before a file is erased",
    ("_state_of", "nrm/services/shredding.py"): "looks what is to be erased again; opens nothing",
    ("write_missing", "nrm/services/shredding.py"): "the entry of the erasure is there already",
    ("disable_dormant", "nrm/services/dormancy.py"): "lists who sleeps; each is an act of its own",
    ("subject", "nrm/services/people.py"): "asks whether an account is the reader's to act on",
    ("lapse", "nrm/services/approvals.py"): "lists what is late; each is an act of its own",
    ("expire", "nrm/services/provision.py"): "lists what is late; each is an act of its own",
    ("escalate", "nrm/services/glass.py"): "the same, for reviews that are overdue",
    ("_sweep_receipts", "nrm/services/housekeeping.py"): "numbers of forms, of nobody's case",
    ("open_anonymous", "nrm/services/sessions.py"): "nobody has signed in yet",
    ("waiting", "nrm/services/sign_in.py"): "asks who is between two steps; opens nothing",
    ("second", "nrm/services/sign_in.py"): "signing in has its entry, or failing has",
    ("federated", "nrm/services/sign_in.py"): "the same",
    ("set_up", "nrm/services/sign_in.py"): "the same, and what is set up has entries of its own",
    ("is_confirmed", "nrm/services/sessions.py"): "asks how long ago it was; opens nothing",
    ("set_up_app", "nrm/services/second_factor.py"): "adding and removing have their entries",
    ("remove", "nrm/services/second_factor.py"): "removing has its entry",
    ("make_codes", "nrm/services/second_factor.py"): "making them has its entry",
    ("reset_by_email", "nrm/services/second_factor.py"): "taking them has its entry",
    ("_begin", "nrm/services/delays.py"): "counts a try, which has its entry where it fails",
    ("sweep", "nrm/services/delays.py"): "counts that delay nobody any more",
    ("save", "nrm/services/sessions.py"): "the clock of a sitting",
    ("sweep", "nrm/services/sessions.py"): "sittings that are over",
    ("_in_state", "nrm/services/statistics.py"): "lists what waits; each is an act of its own",
    ("_tell", "nrm/services/statistics.py"): "how far the counting is, which is nobody's case",
    ("named", "nrm/services/releases.py"): "finds a release by its name; reads no figure",
    ("resume", "nrm/services/rotation.py"): "beginning a version of the index has its entry",
}


def test_every_act_of_a_service_leaves_its_entry():
    services = [path for path in FILES if path.is_relative_to(PACKAGE / "services")]
    acting = functions_that_call(services, "unit_of_work")
    assert len(acting) > 30
    recording = functions_that_call(services, "record", "record_entry", "begin", "_close")
    assert acting - recording == set(UNRECORDED)


def functions_that_call(paths, *names):
    return {
        (function.name, path)
        for path, tree in trees(paths)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(node, ast.Call) and called(node) in names for node in ast.walk(function))
    }
