"""What a template may hold: words through gettext, no code, no query, nothing imported in vain."""

import ast
import functools
import re

import pytest
from bs4 import BeautifulSoup, Doctype
from jinja2 import Environment, nodes

from nrm.domain.flag import PAGES
from nrm.web import errors
from tests.databases import ROOT
from tests.page_checks import FORBIDDEN

FOLDER = ROOT / "templates"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
JINJA = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
GETTEXT = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
# Attributes that are read to somebody, or shown.
READ = ("alt", "aria-description", "aria-label", "placeholder", "title")
# A code list is named in capitals, a drawing begins with a capital and a number.
SENTENCE = re.compile(r"[A-Z](?:[a-z]| [a-z])")
# Templates whose names a view puts together, and what can stand in the gap.
PUT_TOGETHER = {
    "identification/*.html": set(PAGES),
    "errors/*.html": {str(page) for page in errors._PAGES.values()},
}
# Titles and headings are remembered by browsers and read over shoulders.
PERSONAL = {
    "account",
    "birth_date",
    "code_word",
    "family_name",
    "given_name",
    "id_number",
    "other_names",
    "person",
    "phone",
}

each = pytest.mark.parametrize("name", TEMPLATES)


def source(name):
    return (FOLDER / name).read_text(encoding="utf-8")


@functools.cache
def tree(name):
    return JINJA.parse(source(name))


@functools.cache
def markup(name):
    """Parse what a template writes itself: an expression leaves a gap, a comment nothing."""
    return BeautifulSoup(written(source(name)), "html.parser")


def written(text):
    gap = {"variable_begin": "\N{OBJECT REPLACEMENT CHARACTER}"}
    tokens = JINJA.lex(text)
    return "".join(text if kind == "data" else gap.get(kind, "") for _, kind, text in tokens)


def untranslated(page):
    """List the words of a parsed template that stand in it as they are."""
    shown = [string for string in page.find_all(string=True) if not isinstance(string, Doctype)]
    shown += [str(tag[name]) for tag in page.find_all(True) for name in READ if tag.has_attr(name)]
    return [text.strip() for text in shown if any(letter.isalpha() for letter in text)]


@each
def test_every_word_that_is_shown_can_be_translated(name):
    assert untranslated(markup(name)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<p>{{ _('Said') }} Unsaid</p>", ["Unsaid"]),
        ("<p>{% if late %}Late{% endif %}</p>", ["Late"]),
        ('<img alt="Unsaid too">', ["Unsaid too"]),
        ("{# a comment #}<p class='plain'>{{ name }} · 7</p>", []),
    ],
)
def test_a_word_outside_gettext_would_be_found(text, found):
    assert [word.strip("\ufffc ") for word in untranslated(parsed_text(text))] == found


def parsed_text(text):
    return BeautifulSoup(written(text), "html.parser")


@each
def test_every_sentence_in_an_expression_can_be_translated(name):
    marked = {
        id(constant)
        for call in tree(name).find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in GETTEXT
        for constant in call.find_all(nodes.Const)
    }
    loose = {
        constant.value
        for constant in tree(name).find_all(nodes.Const)
        if id(constant) not in marked and SENTENCE.match(str(constant.value))
    }
    assert loose - {None, True, False} == set()


@each
def test_nothing_is_printed_unescaped(name):
    """A value that is not escaped is how a name becomes a script."""
    filters = {found.name for found in tree(name).find_all(nodes.Filter)}
    assert filters.isdisjoint({"safe", "tojson", "xmlattr"})
    modes = (nodes.MarkSafe, nodes.MarkSafeIfAutoescape, nodes.EvalContextModifier)
    assert list(tree(name).find_all(modes)) == []
    assert "Markup" not in {found.name for found in tree(name).find_all(nodes.Name)}


@each
def test_nothing_is_styled_or_scripted_in_the_page_or_comes_from_elsewhere(name):
    page = markup(name)
    assert not page.find_all("style")
    assert all(script.get("src") and not script.string for script in page.find_all("script"))
    attributes = [
        (key, str(value)) for tag in page.find_all(True) for key, value in tag.attrs.items()
    ]
    assert [key for key, _ in attributes if key == "style" or key.startswith("on")] == []
    elsewhere = re.compile(r"\s*(?:https?:|data:|javascript:|//)", re.IGNORECASE)
    assert [value for _, value in attributes if elsewhere.match(value)] == []


@each
def test_nothing_wears_the_signs_of_another_government(name):
    assert not FORBIDDEN.search(source(name))


@each
def test_a_title_and_a_heading_name_no_person(name):
    titles = [block for block in tree(name).find_all(nodes.Block) if block.name == "title"]
    read = {found.attr for block in titles for found in block.find_all(nodes.Getattr)}
    assert read.isdisjoint(PERSONAL)
    for heading in markup(name).find_all("h1"):
        assert heading.get_text(strip=True).strip("\ufffc") == ""


@each
def test_a_template_asks_neither_the_database_nor_who_somebody_is(name):
    """What a page offers follows from what may be done, never from the name of a role."""
    read = {found.attr for found in tree(name).find_all(nodes.Getattr)}
    assert read.isdisjoint({"execute", "query", "scalar", "scalars", "session"})
    for comparison in tree(name).find_all(nodes.Compare):
        assert "role" not in {found.attr for found in comparison.find_all(nodes.Getattr)}


# Nothing in vain


def imports(name):
    """List what a template imports: from which template, which macro, under which name."""
    for found in tree(name).find_all(nodes.FromImport):
        for word in found.names:
            macro, own = word if isinstance(word, tuple) else (word, word)
            yield getattr(found.template, "value", None), macro, own


def loaded(name):
    return {found.name for found in tree(name).find_all(nodes.Name) if found.ctx == "load"}


@each
def test_every_macro_that_is_imported_is_used(name):
    own_names = {own for _, _, own in imports(name)}
    assert own_names - loaded(name) == set()


def test_every_macro_of_ours_is_called_by_somebody():
    macros = {
        (name, macro.name) for name in TEMPLATES for macro in tree(name).find_all(nodes.Macro)
    }
    called = {(name, word) for name in TEMPLATES for word in loaded(name)}
    called |= {(where, macro) for name in TEMPLATES for where, macro, _ in imports(name)}
    assert macros - called == set()


def test_every_template_is_shown_by_somebody():
    shown = named_by_views()
    while more := {found for name in shown for found in named_by(name)} - shown:
        shown |= more
    assert set(TEMPLATES) - shown == set()


def named_by(name):
    kinds = (nodes.Extends, nodes.FromImport, nodes.Import, nodes.Include)
    named = {getattr(found.template, "value", None) for found in tree(name).find_all(kinds)}
    return named & set(TEMPLATES)


def named_by_views():
    """List the templates that the screens name, whole or put together."""
    named = set()
    for path in (ROOT / "nrm" / "web").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in TEMPLATES:
                named.add(node.value)
            elif isinstance(node, ast.JoinedStr) and (pattern := gaps(node)).endswith(".html"):
                named |= {pattern.replace("*", word) for word in PUT_TOGETHER[pattern]}
    return named


def gaps(node):
    return "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
