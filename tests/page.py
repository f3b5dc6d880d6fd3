"""A browser without script for tests: it reads pages, fills forms in and refuses a faulty page."""

from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup

from tests import page_checks

REDIRECTS = {301, 302, 303, 307, 308}


class PageClient:
    """Fetches pages through Flask's test client and checks every one of them."""

    def __init__(self, client):
        self.client = client
        self.path = "/"
        self.html = None
        self.response = None

    def get(self, path, status=200, **options):
        """Open a page and give it parsed."""
        return self._read(path, self.client.get(path, **options), status)

    def post(self, path, data=None, status=None, form=None, **options):
        """Fill in and send the form that a person would find at `path`, hidden fields and all.

        The form is looked for on the page read last, then on the page at `path`; `form` gives
        the id of the one meant where a page has several that lead to the same place. A value of
        None leaves a field out. Without a status, the answer must lead on to another page.
        """
        fields = self._fields(path, form) | (data or {})
        fields = {name: value for name, value in fields.items() if value is not None}
        return self._read(path, self.client.post(path, data=fields, **options), status)

    def post_raw(self, path, data=None, status=400, **options):
        """Send exactly these fields, as an attacker or a broken program would."""
        return self._read(path, self.client.post(path, data=data, **options), status)

    def follow(self, status=200):
        """Go where the last answer leads and give that page parsed."""
        assert self.response.status_code in REDIRECTS, (
            f"{self.path} answered {self.response.status_code} and leads nowhere"
        )
        address = urlsplit(urljoin(self.path, self.response.headers["Location"]))
        assert address.netloc in {"", "localhost"}, f"{self.path} leads away, to {address.netloc}"
        return self.get(address._replace(scheme="", netloc="").geturl(), status=status)

    def click(self, text, status=200):
        """Follow the link with these words on the page read last."""
        found = [link for link in self.html.find_all("a") if page_checks.words(link) == text]
        assert found, f"{self.path} has no link {text!r}"
        return self.get(urljoin(self.path, found[0]["href"]), status=status)

    def _read(self, path, response, status):
        expected = REDIRECTS if status is None else {status}
        assert response.status_code in expected, (
            f"{path} answered {response.status_code} instead of {status or 'leading on'}"
        )
        self.path, self.response = path, response
        if response.status_code in REDIRECTS or response.mimetype != "text/html":
            return response
        self.html = check(response.get_data(as_text=True), path)
        return self.html

    def _fields(self, path, form):
        found = self.html and find_form(self.html, self.path, path, form)
        if not found:
            found = find_form(self.get(path), path, path, form)
        assert found, f"no form on {self.path} is sent to {path}"
        return filled_in(found)


def check(html, path="the page"):
    """Parse a page; refuse it with all its faults in one message."""
    page = BeautifulSoup(html, "html.parser")
    faults = page_checks.faults(page)
    assert not faults, f"{path} is not as a page must be:\n  " + "\n  ".join(faults)
    return page


def find_form(html, here, path, identifier=None):
    """Find the POST form that is sent to `path`; without an action it is sent to its own page."""
    for form in html.find_all("form", method=lambda value: value and value.lower() == "post"):
        if identifier is not None and form.get("id") != identifier:
            continue
        if urlsplit(urljoin(here, form.get("action") or here)).path == urlsplit(path).path:
            return form
    return None


def filled_in(form):
    """List what a browser would send if nothing were touched: hidden fields and given values."""
    fields = {}
    for field in form.find_all(["input", "textarea", "select"]):
        name = field.get("name")
        if name is None or field.has_attr("disabled"):
            continue
        for value in values(field):
            fields.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in fields.items()}


def values(field):
    if field.name == "textarea":
        return [field.get_text().removeprefix("\n")]
    if field.name == "select":
        first = 0 if field.has_attr("multiple") else 1
        chosen = field.find_all("option", selected=True) or field.find_all("option")[:first]
        return [option.get("value", option.get_text()) for option in chosen]
    if field.get("type") in {"submit", "button", "image", "reset", "file"}:
        return []
    if field.get("type") in {"checkbox", "radio"}:
        return [field.get("value", "on")] if field.has_attr("checked") else []
    return [field.get("value", "")]
