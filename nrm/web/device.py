"""Which browser a sitting is at, as a person would tell it: Firefox on Android.

A browser says of itself whatever it likes, so this helps to recognise one's own and proves nothing.
What is not in these short tables is "another browser": a library that knows ten thousand devices
would have to be renewed every month, and the name of a model would tell more than anybody needs.
"""

from nrm.web.text import _

# The first that is found decides: most browsers name those that they descend from as well.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
_ON = " on "


def told(user_agent: str) -> str:
    """Give what a sitting keeps of a browser: two names of makers, or one, or none."""
    names = (_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent))
    return _ON.join(name for name in names if name)


def words(kept: str) -> str:
    """Say it in the reader's language."""
    browser, on, system = kept.partition(_ON)
    if on:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or _("Another browser")


def _first(table: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in table if mark in user_agent), "")
