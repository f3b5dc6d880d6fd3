"""What people do through the pages, in short verbs; all that they know is what a page told them."""

import re
from dataclasses import dataclass, field

from nrm.domain.flag import PAGES
from tests import world as worlds
from tests.page import PageClient
from tests.page_checks import words
from tests.world import CANARIES, SERVICE

HOW = {"method": "oral", "language": "run", "given_by": "person"}


def answers_about(prefix=""):
    """Give all that an investigator types about one person, as the fields of the pages take it."""

    def said(name):
        return CANARIES.get(prefix + name, "")

    return {
        "report": {
            "source": "police",
            "district": "11",
            "station_reference": said("station_reference"),
        },
        "place": {
            "place": "private_home",
            "sector": "Gitega",
            "found_on": day(said("found_on")),
            "place_words": said("place_words"),
        },
        "person": {
            "given_name": said("given_name"),
            "family_name": said("family_name"),
            "other_names": said("other_names"),
            "birth_date": day(said("birth_date")),
            "age_band": "35_44",
            "sex": "female",
            "citizenship": "BI",
            "languages": ["run", "swa"],
            "id_number": said("id_number"),
        },
        "signs": {"indicators": ["cannot_leave", "debt"], "account": said("account")},
        "risk": {
            "immediate_risk": "reachable_tonight",
            "needs": [SERVICE],
            "health_words": said("health_words"),
        },
        "contact": {
            "method": "phone",
            "phone": said("contact_phone"),
            "words": said("contact_words"),
            "code_word": said("code_word"),
        },
        "consent": {"consent_asked": "yes", "agrees": "yes"},
    }


def day(iso):
    return [str(int(part)) for part in reversed(iso.split("-"))] if iso else ["", "", ""]


@dataclass
class Traces:
    """What is left of a visit outside the database: in the browser, in proxies, on screens."""

    addresses: list = field(default_factory=list)
    leads: list = field(default_factory=list)
    cookies: list = field(default_factory=list)
    titles: list = field(default_factory=list)
    headings: list = field(default_factory=list)
    pages: list = field(default_factory=list)


class WatchedPage(PageClient):
    """A browser whose every step is written down."""

    source = ""

    def __init__(self, client, traces):
        super().__init__(client)
        self.traces = traces

    def _read(self, path, response, status):
        page = super()._read(path, response, status)
        self.traces.addresses.append(response.request.url)
        self.traces.leads += response.headers.getlist("Location")
        self.traces.cookies += response.headers.getlist("Set-Cookie")
        if page is self.html:
            self.traces.titles.append(words(page.title))
            self.traces.headings.append(words(page.h1))
            self.source = response.get_data(as_text=True)
            self.traces.pages.append(self.source)
        return page


class Person:
    """Someone who is signed in."""

    def __init__(self, world, name, traces=None):
        self.world = world
        self.page = WatchedPage(world.app.test_client(), traces or Traces())
        worlds.sign_in(self.page, world.email(name))

    def opens(self, path, status=200):
        return self.page.get(path, status=status)

    def sends(self, path, fields=None, **options):
        """Fill in the form that leads there, and go where the answer leads."""
        self.page.post(path, fields, **options)
        return self.page.follow() if "status" not in options else self.page.html

    def sees(self, *texts):
        shown = words(self.page.html)
        missing = [text for text in texts if text not in shown]
        assert not missing, f"{self.page.path} does not say {missing}"

    def has_nothing_of(self, *secrets):
        """Find none of these anywhere in the page, the invisible parts included."""
        found = [secret for secret in secrets if secret in self.page.source]
        assert not found, f"{self.page.path} holds {found}"


class Investigator(Person):
    """A first responder at the place where someone was found."""

    draft = ""

    def begins_a_flag(self):
        self.opens("/flags")
        self.page.post("/flags/start")
        self._is_led_to_the_draft()

    def begins_another_at_the_same_place(self):
        """Press the button on the page that says that the flag was sent."""
        self.page.post("/flags/start")
        self._is_led_to_the_draft()

    def _is_led_to_the_draft(self):
        self.draft = self.page.response.headers["Location"]
        self.page.follow()

    def answers(self, typed, *pages):
        for name in pages or PAGES:
            self.page.post(f"{self.draft}/{name}", typed[name])

    def leaves_in_the_middle_of(self, name, typed):
        self.sends(f"{self.draft}/{name}", {**typed, "leave": "1"})
        self.sees("My work", "Your draft is saved")

    def comes_back_later(self):
        self.opens("/flags")
        [link] = self.page.html.select(f'a[href="{self.draft}"]')
        assert words(link).startswith("Continue")
        self.opens(link["href"])
        self.page.click("Go on")

    def checks_the_answers(self):
        self.opens(f"{self.draft}/check")

    def sends_the_flag(self):
        """Send it: the reference that the page gives out."""
        self.sends(f"{self.draft}/check")
        self.sees("The flag was sent")
        return words(self.page.html.select_one(".nrm-ref"))

    def flags(self, typed):
        """Write and send a whole flag in one go."""
        self.begins_a_flag()
        self.answers(typed)
        return self.sends_the_flag()


class Coordinator(Person):
    """Someone of the coordination unit, with one case file before them."""

    reference = ""

    def finds(self, reference):
        self.reference = reference
        self.opens("/cases/find")
        self.sends("/cases/find", {"reference": reference.lower().replace("-", " ")})

    def at(self, inner=""):
        return f"/cases/{self.reference}{inner}"

    def reads_the_file(self):
        self.opens(self.at())

    def opens_fields(self, group, reason):
        self.opens(self.at())
        self.sends(self.at(f"/open/{group}"), {f"{group}-reason": reason})

    def presumes(self, reason):
        self.sends(self.at("/presume"), {"basis": ["indicators"], "words": reason})
        self.sees("The person is now a presumed victim.")

    def records_consent(self, **answers):
        asked = {f"purpose_{purpose}": answer for purpose, answer in answers.items()}
        how = {**HOW, "interpreter": CANARIES["interpreter"]}
        self.sends(self.at("/consent/record"), {**asked, **how})
        self.sees("The answers are recorded.")

    def records_needs(self, *needs):
        self.sends(self.at("/needs"), {"now": list(needs)})
        self.sees("The needs are recorded.")

    def looks_for_a_provider(self):
        """Ask for the list: the names of the providers that are offered."""
        self.opens(self.at("/providers"))
        self.sends(self.at("/providers"), {"service": SERVICE}, form="filter")
        return [words(name) for name in self.page.html.select(".nrm-candidate__name")]

    def chooses(self, provider):
        self.looks_for_a_provider()
        to = self.organisation(provider)
        self.sends(self.at("/providers"), {"service": SERVICE, "to": to}, form="filter")

    def organisation(self, provider):
        return str(self.world.organisations[provider])

    def records_that_the_person_agrees(self, provider, *compartments):
        """Follow the page's own way to the answer, and come back to what will be disclosed."""
        self._shares(provider, compartments, {"basis": "consent", **HOW})

    def records_that_the_law_allows(self, provider, *compartments):
        why = {"basis": "vital_interests", "reason": CANARIES["exception_reason"]}
        self._shares(provider, compartments, why)

    def _shares(self, provider, compartments, ground):
        self.page.click("Record what the person says")
        path = self.at(f"/consent/share?to={self.organisation(provider)}")
        self.sends(path, {"compartments": list(compartments), **ground})
        self.sees("What will be disclosed", "It is recorded what this provider may be told.")

    def shows_on_the_envelope(self, provider, **said):
        path = self.at(f"/providers/{self.organisation(provider)}")
        self.sends(path, {**said, "show": "1"}, status=200)

    def sends_the_referral(self, provider, **said):
        """Send it: the referral's own reference."""
        self.sends(self.at(f"/providers/{self.organisation(provider)}"), said)
        self.sees("The referral was sent.")
        return re.search(r"Its reference is (R-\S+)\.", words(self.page.html)).group(1)

    def refers_to(self, provider, *compartments, **said):
        """Choose, ask and send in one go."""
        self.chooses(provider)
        self.records_that_the_person_agrees(provider, *compartments)
        return self.sends_the_referral(provider, **said)

    def takes_consent_back(self, provider):
        to = self.organisation(provider)
        self.opens(self.at("/consent"))
        self.sends(self.at(f"/consent/withdraw?recipient={to}"), HOW)
        self.sees("It is recorded. This provider can open nothing more.")

    def closes(self, said):
        self.sends(self.at("/close"), {"reason": "plan_completed", "words": said})
        self.sees("No provider has access any more.")


class Worker(Person):
    """Someone of a service provider."""

    def reads_the_inbox(self, tab="sent"):
        self.opens(f"/inbox?state={tab}")

    def reads(self, referral, status=200):
        self.opens(f"/referrals/{referral}", status=status)

    def accepts(self, referral):
        self.reads(referral)
        self.sends(f"/referrals/{referral}/accept")
        self.sees("You have accepted this referral.")

    def comes_too_late_to_accept(self, referral):
        self.sends(f"/referrals/{referral}/accept", status=409)

    def declines(self, referral, reason, said):
        self.reads(referral)
        self.sends(f"/referrals/{referral}/decline", {"reason": reason, "words": said})
        self.sees("Your organisation declined it.")

    def records_a_service(self, referral, said):
        self.sends(f"/referrals/{referral}/service", {"outcome": "given", "words": said})
        self.sees("The service is recorded.")


class Manager(Person):
    """One of those who keep the directory."""

    def suspends(self, provider, reason):
        listing = f"/directory/{self.world.listings[provider]}"
        self.opens(listing)
        self.sends(f"{listing}/suspend", {"reason": reason})
