"""What the browser is given: readable colours, small files, nothing borrowed, nothing inline."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nrm.statistics.charts import svg

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
TOKENS = dict(
    re.findall(
        r"^\$([a-z-]+): (#[0-9a-f]{6});$",
        (ASSETS / "scss" / "_tokens.scss").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
)

# Ink, then the grounds it is read on.
TEXT = {
    "ink": ["white", "paper", "sand", "sand-deep", "lake-pale", "sun"],
    "ink-soft": ["white", "paper", "sand", "amber-pale", "plum-pale"],
    "white": ["lake", "lake-deep", "plum", "red", "clay"],
    "lake-deep": ["white", "paper", "sand", "lake-pale"],
    "lake": ["white", "lake-pale"],
    "lake-haze": ["lake"],
    "link": ["white", "paper", "sand"],
    "clay": ["white", "clay-pale"],
    "clay-deep": ["white", "clay-pale"],
    "plum": ["white", "paper", "plum-pale"],
    "red": ["white", "paper", "red-pale"],
    "amber": ["white", "paper", "amber-pale"],
    "leaf": ["white", "paper", "leaf-pale"],
}
# A line, an edge or a shape that carries meaning.
MARKS = {
    "line-strong": ["white", "paper"],
    "lake-mid": ["white", "track"],
    "clay": ["paper", "track"],
    "hatch": ["white"],
}

FORBIDDEN = ("GOV.UK", "GDS Transport", "govuk-crest", "govuk-logo")


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def pairs(table):
    return [(ink, ground) for ink, grounds in table.items() for ground in grounds]


@pytest.mark.parametrize(("ink", "ground"), pairs(TEXT))
def test_text_can_be_read_on_its_ground(ink, ground):
    assert contrast(TOKENS[ink], TOKENS[ground]) >= 4.5


@pytest.mark.parametrize(("mark", "ground"), pairs(MARKS))
def test_a_mark_stands_out_from_its_ground(mark, ground):
    assert contrast(TOKENS[mark], TOKENS[ground]) >= 3


def test_contrast_is_computed_as_the_guidelines_say():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("tone", svg.TONES, ids=lambda tone: tone.name)
def test_a_figure_can_be_read_on_the_tone_of_its_square(tone):
    letters = svg.WHITE if "on-dark" in tone.letters else svg.INK
    assert contrast(letters, tone.fill) >= 4.5


@pytest.fixture
def build():
    manifest = ROOT / "static" / "build" / "manifest.json"
    if not manifest.exists():
        pytest.skip("there is no build of the stylesheet here; `make` makes one")
    return ROOT / "static" / json.loads(manifest.read_text(encoding="utf-8"))["base"]


@pytest.mark.parametrize(("suffix", "allowed"), [(".css", 20 * 1024), (".js", 15 * 1024)])
def test_a_first_visit_is_light(build, suffix, allowed):
    packed = list(build.glob(f"*{suffix}.gz"))
    assert packed
    assert sum(path.stat().st_size for path in packed) <= allowed


def test_every_built_file_has_a_compressed_twin(build):
    plain = {path.name for path in build.iterdir() if path.suffix != ".gz"}
    assert plain == {
        "early.js",
        "govuk-frontend.min.js",
        "nrm.css",
        "nrm.js",
        "passkey.js",
        "sitting.js",
    }
    assert {path.name for path in build.glob("*.gz")} == {f"{name}.gz" for name in plain}


def test_the_built_files_ask_for_nothing_else(build):
    for path in [p for p in build.iterdir() if p.suffix != ".gz"]:
        text = path.read_text(encoding="utf-8")
        assert "sourceMappingURL" not in text
        assert not [word for word in FORBIDDEN if word in text]
        assert "@font-face" not in text
        assert "@import" not in text


def test_no_third_party_file_is_kept_in_the_repository():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this copy is not a git repository")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    kept = [Path(name) for name in listed if name]
    assert Path("assets/scss/nrm.scss") in kept
    assert not [p for p in kept if "node_modules" in p.parts or "build" in p.parts[:2]]
    assert not [p for p in kept if p.suffix in {".css", ".woff", ".woff2", ".ttf", ".otf", ".map"}]
    scripts = [p for p in kept if p.suffix in {".js", ".mjs"}]
    assert scripts
    assert all(p.parent == Path("assets/js") for p in scripts)
    assert [p for p in kept if p.parts[0] == "static"] == [Path("static/favicon.svg")]


def test_the_lock_file_names_no_registry():
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "://" not in re.sub(r'"url": "[^"]*"', "", lock)
    assert all(
        package.get("integrity") for name, package in json.loads(lock)["packages"].items() if name
    )


def test_the_packages_are_pinned_exactly():
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert set(wanted) == {"@ministryofjustice/frontend", "govuk-frontend", "sass"}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())


def own_files():
    statics = [ROOT / "static" / "favicon.svg", ROOT / "package.json"]
    return [*TEMPLATES, *(p for p in sorted(ASSETS.rglob("*")) if p.is_file()), *statics]


@pytest.mark.parametrize("path", own_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_of_ours_borrows_another_government_brand(path):
    text = path.read_text(encoding="utf-8").lower()
    assert not [word for word in FORBIDDEN if word.lower() in text]
    assert "crown" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_carries_no_inline_code_and_calls_no_other_host(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|[\"'(]data:|https?://", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_every_icon_that_is_named_is_drawn():
    drawn = set(
        re.findall(
            r'^  "(\w+)": "M',
            (ROOT / "templates/components/icon.html").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r"icon\(\"(\w+)\"", path.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= drawn


def test_no_script_keeps_anything_in_the_browser():
    """Whoever sits down next finds nothing, also where a browser crashed before the signing out."""
    keeping = re.compile(r"localStorage|indexedDB|document\.cookie|caches\.open")
    scripts = sorted((ROOT / "assets" / "js").glob("*.js"))
    assert scripts
    assert [path.name for path in scripts if keeping.search(path.read_text(encoding="utf-8"))] == []


def test_our_own_script_stays_small():
    scripts = [path.read_text(encoding="utf-8") for path in (ASSETS / "js").glob("*.js")]
    assert 0 < sum(len(script.splitlines()) for script in scripts) < 300
