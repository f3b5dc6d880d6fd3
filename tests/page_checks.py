"""What every page must be, whatever it shows. A check takes a parsed page and yields faults."""

import re
from collections import Counter

# Signs of another government, which this system must never wear.
FORBIDDEN = re.compile(r"gov\.uk|gds transport|(?<![a-z])(?:crown|crest)(?![a-z])", re.IGNORECASE)
RAW_MESSAGE = re.compile(r"%\(\w+\)[a-z]")
NONE_AS_TEXT = re.compile(r"(?<!\w)None(?!\w)")
# Our own sentences may well begin "None of …"; a printed None stands alone.
NONE_IN_A_SENTENCE = re.compile(r"(?<!\w)None of ")
NEEDS_NO_LABEL = {"hidden", "submit", "button", "image", "reset"}
REFERRING = ("aria-describedby", "aria-labelledby", "aria-controls", "aria-owns", "headers")
UNREAD = ["script", "style", "template"]


def heading(page):
    headings = page.find_all("h1")
    if len(headings) != 1:
        yield f"{len(headings)} h1 headings instead of one"
        return
    text = words(headings[0])
    if not text:
        yield "the h1 is empty"
    if page.title is None:
        yield "no title"
    elif text not in words(page.title):
        yield f"the title {words(page.title)!r} does not hold the h1 {text!r}"


def language(page):
    if page.html is None or not page.html.get("lang"):
        yield "html has no lang"


def labels(page):
    named = {label["for"] for label in page.find_all("label", attrs={"for": True})}
    for field in page.find_all(["input", "select", "textarea"]):
        if field.get("type") in NEEDS_NO_LABEL or field.get("aria-label"):
            continue
        if field.get("aria-labelledby") or field.get("id") in named or field.find_parent("label"):
            continue
        yield f"{described(field)} has no label"


def label_targets(page):
    known = identifiers(page)
    for label in page.find_all("label"):
        if label.get("for") is not None and label["for"] not in known:
            yield f"a label is for {label['for']!r}, which is not on the page"


def forms(page):
    for form in page.find_all("form"):
        method = form.get("method", "").lower()
        if method not in {"get", "post"}:
            yield f"{described(form)} has no method"
        if method == "post" and not form.find("input", attrs={"name": "csrf_token", "value": True}):
            yield f"{described(form)} has no csrf_token"
        if method == "get" and form.find("input", attrs={"name": "csrf_token"}):
            yield f"{described(form)} would put its csrf_token into the address"


def inline_code(page):
    for script in page.find_all("script"):
        if script.get_text(strip=True) or not script.get("src"):
            yield "a script stands in the page itself"
    for style in page.find_all("style"):
        yield f"{described(style)} stands in the page itself"
    for element in page.find_all(attrs={"style": True}):
        yield f"{described(element)} has a style attribute"
    for element in page.find_all(True):
        for name in element.attrs:
            if name.startswith("on"):
                yield f"{described(element)} has the handler {name}"


def origins(page):
    for element in page.find_all(True):
        for name in ("src", "srcset", "href", "action", "formaction"):
            address = str(element.get(name, "")).strip().lower()
            if address.startswith(("javascript:", "data:")):
                yield f"{described(element)} has the address {address[:40]!r}"
            elif element.name != "a" and address.startswith(("http:", "https:", "//")):
                yield f"{described(element)} reaches another origin: {address[:60]!r}"


def links(page):
    for link in page.find_all("a"):
        target = link.get("href")
        if not target:
            yield f"the link {words(link)!r} leads nowhere"
        elif target.startswith("#") and target != "#" and target[1:] not in identifiers(page):
            yield f"the link {words(link)!r} leads to {target!r}, which is not on the page"
        elif target == "#":
            yield f"the link {words(link)!r} leads nowhere"
        if not words(link) and not link.get("aria-label"):
            yield f"a link to {target!r} has no words"


def identifiers_are_unique(page):
    counts = Counter(element["id"] for element in page.find_all(id=True))
    for identifier, count in counts.items():
        if count > 1:
            yield f"the id {identifier!r} is used {count} times"
        if not identifier or re.search(r"\s", identifier):
            yield f"the id {identifier!r} is empty or holds a space"


def references(page):
    known = identifiers(page)
    for element in page.find_all(True):
        for name in REFERRING:
            for target in words_of_attribute(element.get(name)):
                if target not in known:
                    yield f"{described(element)} names {target!r} in {name}, not on the page"


def text(page):
    for string in page.find_all(string=True):
        if string.find_parent(UNREAD) is None:
            yield from faults_in(str(string), "the text")
    for element in page.find_all(True):
        for name in ("title", "alt", "aria-label", "placeholder", "content"):
            yield from faults_in(str(element.get(name, "")), f"the {name} of {described(element)}")


def faults_in(string, where):
    if NONE_AS_TEXT.search(NONE_IN_A_SENTENCE.sub("", string)):
        yield f"{where} shows None: {string.strip()[:60]!r}"
    if RAW_MESSAGE.search(string):
        yield f"{where} shows a raw message: {string.strip()[:60]!r}"


def forbidden_words(page):
    found = FORBIDDEN.search(str(page))
    if found:
        yield f"the page holds {found.group()!r}"


CHECKS = (
    heading,
    language,
    labels,
    label_targets,
    forms,
    inline_code,
    origins,
    links,
    identifiers_are_unique,
    references,
    text,
    forbidden_words,
)


def faults(page):
    """List everything that is wrong with a parsed page."""
    return [fault for check in CHECKS for fault in check(page)]


def identifiers(page):
    return {element["id"] for element in page.find_all(id=True)}


def words(element):
    return " ".join(element.get_text().split())


def words_of_attribute(value):
    if value is None:
        return []
    return value.split() if isinstance(value, str) else value


def described(element):
    attributes = (
        f'{name}="{element[name]}"' for name in ("id", "name", "action") if element.get(name)
    )
    return "<" + " ".join([element.name, *attributes]) + ">"
