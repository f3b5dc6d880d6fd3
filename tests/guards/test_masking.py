"""No way around the mask: what opens a part of a file masks it, and what prints one knows it."""

import ast

import pytest
from jinja2 import nodes

from nrm.domain.masking import MASKED
from tests.guards.test_code import FILES, WEB, name_of, tree_of, trees
from tests.guards.test_templates import TEMPLATES, tree

pytestmark = pytest.mark.databases("sqlite")

FIELDS = {field for fields in MASKED.values() for field in fields}
# Who opens parts of a file, and what becomes of the masked fields of it.
OPENERS = {
    ("nrm/services/casefile.py", "read"): "masked",
    ("nrm/services/casefile.py", "page"): "given to _file, which masks",
    ("nrm/services/casefile.py", "consent_page"): "given to _file, which masks",
    ("nrm/services/casefile.py", "referrals_page"): "given to _file, which masks",
    ("nrm/services/casefile.py", "opened"): "given to _file, which masks",
    ("nrm/services/glass.py", "_door"): "an emergency: all of it, for an hour, reviewed afterwards",
    ("nrm/services/provision.py", "received"): "masked",
    ("nrm/services/reveal.py", "_open"): "one field, asked for by itself and logged",
    ("nrm/services/search.py", "find"): "ranked; the page tells initials and a year",
    ("nrm/services/search.py", "like_this"): "ranked; only references leave",
    ("nrm/services/search_index.py", "_build_cases"): "made into tokens; nothing leaves",
}
# Where the screens may name a masked field at all.
NAMED_BY = {
    "nrm/web/case_words.py": "the rows of a file, as the service masked them",
    "nrm/web/forms/identification.py": "typed by the writer of a flag, into their own draft",
    "nrm/web/likeness.py": "made into initials and a year by the rules of masking",
    "nrm/web/masked.py": "the words of a masked field",
}


def openers():
    return {
        (name, function.name)
        for name, parsed in trees(FILES)
        if name != "nrm/services/vault.py"
        for function in ast.walk(parsed)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and node.attr in {"open_compartments", "open_across"}
        and ast.unparse(node.value) == "vault"
    }


def test_whoever_opens_a_part_of_a_file_says_what_becomes_of_its_masked_fields():
    assert openers() == set(OPENERS)


@pytest.mark.parametrize("opener", [key for key, what in OPENERS.items() if what == "masked"])
def test_what_is_said_to_be_masked_is_masked(opener):
    path, name = opener
    [function] = [
        node
        for node in ast.walk(tree_of(next(file for file in FILES if name_of(file) == path)))
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    assert "masked(" in ast.unparse(function)


def test_every_page_of_a_case_gets_its_contact_masked():
    [casefile] = [file for file in FILES if name_of(file) == "nrm/services/casefile.py"]
    made = [
        node
        for node in ast.walk(tree_of(casefile))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "CaseFile"
    ]
    assert [ast.unparse(call.args[2]) for call in made] == ["masked(SAFE_CONTACT, contact)"]


def test_the_screens_name_masked_fields_where_they_must_and_nowhere_else():
    naming = {
        name
        for name, parsed in trees(WEB)
        for node in ast.walk(parsed)
        if (isinstance(node, ast.Attribute) and node.attr in FIELDS - {"phone"})
        or (isinstance(node, ast.Constant) and node.value in FIELDS)
        or (isinstance(node, ast.Name) and node.id in FIELDS)
    }
    assert naming == set(NAMED_BY)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_prints_a_masked_field_through_the_one_macro(name):
    """`said` of the compartments looks whether a value is masked; forms hold what one types."""
    parsed = tree(name)
    through_the_macro = {
        id(argument)
        for call in parsed.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name == "said"
        for argument in call.args
    }
    wrong = [
        f"{name}:{found.lineno} {found.attr}"
        for found in parsed.find_all(nodes.Getattr)
        if found.attr in FIELDS
        and id(found) not in through_the_macro
        and not (isinstance(found.node, nodes.Name) and found.node.name == "form")
    ]
    assert wrong == []


def test_the_value_of_a_shown_field_is_printed_by_one_macro_alone():
    """Only a field that was asked for has a value; one template prints it."""
    printing = {
        name
        for name in TEMPLATES
        for found in tree(name).find_all(nodes.Test)
        if found.name in {"shown_field", "masked_field"}
    }
    assert printing == {
        "casefile/known.html",
        "components/masked.html",
        "printing/case.html",
        "provision/compartments.html",
    }
