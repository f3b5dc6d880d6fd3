"""What people do at a screen, in verbs: they read, press, tick and write, as the labels tell."""

import re

from playwright.sync_api import expect

from tests.page_checks import FORBIDDEN
from tests.world import PASSWORD, fresh_code

# More things than these on one page nobody would walk through.
MOST_STOPS = 60
SYSTEM = "National Referral Mechanism"


class Person:
    """Someone at a browser of their own, who sees what the page says and nothing else."""

    def __init__(self, tab, album, traces, app):
        self.tab = tab
        self._app = app
        self._photograph = album
        self._traces = traces

    def gives_password(self, email, password=PASSWORD):
        """Take the first of the two steps."""
        self.opens("/sign-in")
        self.writes("Work e-mail", email)
        self.tab.get_by_label("Password", exact=True).fill(password)
        self.presses("Sign in")

    def signs_in(self, email, password=PASSWORD):
        self.gives_password(email, password)
        self.writes("Code from your app", fresh_code(self._app, email))
        self.presses("Sign in")

    def confirms_who_it_is(self, email):
        """Show the second factor once more, before something sensitive."""
        self.arrives_at("Confirm that it is you")
        self.writes("Code from your app", fresh_code(self._app, email))
        self.presses("Confirm")

    # Where one is

    def opens(self, path):
        """Type an address."""
        return self.tab.goto(path)

    def arrives_at(self, heading, *, picture=True):
        """Read the page's heading, find it in the title, and photograph the page."""
        found = self.tab.get_by_role("heading", level=1)
        expect(found).to_have_text(heading)
        words, title = found.inner_text(), self.tab.title()
        self._traces.append(title)
        assert title in {f"{words} – {SYSTEM}", f"Error: {words} – {SYSTEM}"}
        assert not FORBIDDEN.search(self.source)
        if picture:
            self._photograph(self.tab, words)

    def is_asked_again_at(self, heading, *problems):
        """Read a refused form: every problem is named on top."""
        self.arrives_at(heading)
        assert self.tab.title().startswith("Error: ")
        summary = self.tab.get_by_role("alert").filter(has_text="There is a problem")
        for problem in problems:
            expect(summary.get_by_text(problem)).to_be_visible()

    def sees(self, *texts):
        """Read words that stand in the work itself, open for the eye."""
        for text in texts:
            found = self.tab.locator("main, .moj-identity-bar").get_by_text(text)
            expect(found.locator("visible=true").first).to_be_visible()

    def sees_row(self, *texts):
        """Read one row of a table that holds all these words."""
        row = self.tab.get_by_role("row")
        for text in texts:
            row = row.filter(has_text=text)
        expect(row.first).to_be_visible()

    def has_nothing_of(self, *secrets):
        """Find none of these, not even behind the page."""
        found = [secret for secret in secrets if secret in self.source]
        assert not found, f"{self.tab.url} holds {found}"

    @property
    def source(self):
        return self.tab.content()

    # Going on

    def follows(self, words):
        """Follow a link; of two that say the same, the first."""
        link = self.tab.get_by_role("link", name=words, exact=isinstance(words, str))
        with self.tab.expect_navigation():
            link.first.click()

    def presses(self, words):
        with self.tab.expect_navigation():
            self.button(words).click()

    def button(self, words):
        return self.tab.get_by_role("button", name=words, exact=isinstance(words, str))

    def goes_back(self):
        """Press the browser's own button for the page before."""
        self.tab.go_back()

    # With the keyboard alone

    def reaches(self, target):
        """Press Tab until the thing has the focus."""
        for _ in range(MOST_STOPS):
            self.tab.keyboard.press("Tab")
            if self.is_at(target):
                return
        raise AssertionError(f"{target} cannot be reached with the keyboard")

    def strikes(self, key):
        self.tab.keyboard.press(key)

    def goes_on_with(self, key):
        """Strike a key that leads to another page."""
        with self.tab.expect_navigation():
            self.strikes(key)

    def is_at(self, target):
        return target.evaluate("element => element === document.activeElement")

    # Giving a reason

    def opens_fields(self, question, reason):
        """Say why closed fields must be opened, and open them."""
        closed = self.tab.locator("details").filter(has_text=question)
        closed.locator("summary").click()
        closed.get_by_label("Why do you need to see this?").select_option(label=reason)
        with self.tab.expect_navigation():
            closed.get_by_role("button", name="Open for 15 minutes").click()

    # Answering

    def writes(self, label, text):
        self.field(label).fill(text)

    def chooses(self, label, option):
        self.field(label).select_option(label=option)

    def ticks(self, *options, under):
        for option in options:
            self.choice(option, under).check()

    def enters_day(self, day, under):
        group = self.tab.get_by_role("group", name=under, exact=True)
        for label, part in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
            group.get_by_label(label, exact=True).fill(str(part))

    def field(self, label):
        return self.tab.get_by_label(label, exact=True)

    def choice(self, option, under):
        group = self.tab.get_by_role("group", name=under, exact=True)
        return group.get_by_label(option, exact=True)

    def finds_written(self, label, text):
        expect(self.field(label)).to_have_value(text)

    def finds_ticked(self, option, under):
        expect(self.choice(option, under)).to_be_checked()


def reference_on(person, pattern=r"[1-9A-Z]{4}-[1-9A-Z]{4}-[1-9A-Z]"):
    """Read the reference that the page gives out."""
    return re.search(pattern, person.tab.locator("main").inner_text()).group()


def misheard(reference):
    """Swap the first two different neighbours, as happens over a radio."""
    at = next(at for at in range(8) if reference[at].isalnum() and swaps(reference, at))
    return reference[:at] + reference[at + 1] + reference[at] + reference[at + 2 :]


def swaps(reference, at):
    return reference[at + 1].isalnum() and reference[at] != reference[at + 1]
