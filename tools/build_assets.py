"""Build the stylesheet and the scripts that the browser gets, into static/build/<hash>/."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
BUILD = ROOT / "static" / "build"
MANIFEST = BUILD / "manifest.json"
NODE_MODULES = ROOT / "node_modules"
LOCK = ROOT / "package-lock.json"
PACKAGE_SCRIPT = NODE_MODULES / "govuk-frontend/dist/govuk/govuk-frontend.min.js"

# What a first visit may weigh, compressed: our users are on slow lines.
BUDGET = {".css": 20 * 1024, ".js": 15 * 1024}


class BuildError(Exception):
    """The build cannot go on; the message says what to do, in one line."""


def main() -> int:
    try:
        return build()
    except (BuildError, OSError) as error:
        print(f"assets: {error}", file=sys.stderr)
        return 1


def build() -> int:
    base = f"build/{fingerprint()}"
    target = ROOT / "static" / base
    if target.is_dir() and current_base() == base:
        print("assets: nothing changed")
        return 0
    node = find("node")
    install_packages(node)
    BUILD.mkdir(parents=True, exist_ok=True)
    # Built aside and moved into place, so that a build that breaks off is never served.
    with tempfile.TemporaryDirectory(dir=BUILD) as workshop:
        finished = Path(workshop) / "finished"
        finished.mkdir()
        compile_styles(node, finished / "nrm.css")
        copy_scripts(finished)
        weights = compress(finished)
        check_budget(weights)
        shutil.rmtree(target, ignore_errors=True)
        finished.rename(target)
    publish(base)
    remove_older(target)
    sizes = ", ".join(f"{name} {size / 1024:.1f} KB" for name, size in sorted(weights.items()))
    print(f"assets: built static/{base} (compressed: {sizes})")
    return 0


def fingerprint() -> str:
    """Name a build by all that goes into it, so that an address never changes its content."""
    digest = hashlib.sha256()
    sources = [path for path in ASSETS.rglob("*") if path.is_file()]
    for path in sorted([*sources, LOCK, Path(__file__).resolve()]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def current_base() -> str | None:
    try:
        base = json.loads(MANIFEST.read_text())["base"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return base if isinstance(base, str) else None


def find(program: str) -> Path:
    """Look on the PATH, else in the virtual environment, where a Python package brings Node."""
    bins = [Path(sys.executable).parent, ROOT / ".venv" / "bin"]
    places = [os.environ.get("PATH", ""), *map(str, bins)]
    found = next(filter(None, (shutil.which(program, path=place) for place in places)), None)
    if found is None:
        raise BuildError(
            f"{program} was not found: install Node.js, or run "
            "`.venv/bin/python -m pip install -r requirements/node.txt`"
        )
    return Path(found)


def install_packages(node: Path) -> None:
    installed = NODE_MODULES / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    print("assets: installing the packages of package-lock.json")
    run(node, [str(find("npm")), "ci"], "npm ci failed")


def compile_styles(node: Path, target: Path) -> None:
    sass = NODE_MODULES / "sass" / "sass.js"
    options = ["--load-path=.", "--load-path=node_modules", "--quiet-deps"]
    output = ["--style=compressed", "--no-source-map"]
    source = ASSETS / "scss" / "nrm.scss"
    command = [str(node), str(sass), *options, *output, str(source), str(target)]
    run(node, command, "the stylesheet does not compile")


def run(node: Path, command: list[str], complaint: str) -> None:
    # npm starts Node by its name, which may be only in the virtual environment.
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    result = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise BuildError(f"{complaint}: {reason(result.stderr or result.stdout)}")


def reason(output: str) -> str:
    """Pick the line of a tool's complaint that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = (line for line in lines if "error" in line.lower())
    return next(telling, lines[-1] if lines else "no reason given")


def copy_scripts(folder: Path) -> None:
    script = PACKAGE_SCRIPT.read_text(encoding="utf-8")
    # Its map is not served, so the line that names it would cost every visitor a request and a 404.
    script = script.partition("//# sourceMappingURL=")[0]
    # Its console messages carry the name of another government's site, which we never show.
    script = script.replace("GOV.UK Frontend", "Frontend")
    (folder / PACKAGE_SCRIPT.name).write_text(script, encoding="utf-8")
    for own in sorted((ASSETS / "js").glob("*.js")):
        shutil.copyfile(own, folder / own.name)


def compress(folder: Path) -> dict[str, int]:
    """Lay a compressed twin beside each file, for the server to send; answer their sizes."""
    sizes = {}
    for path in sorted(folder.iterdir()):
        packed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
        path.with_name(f"{path.name}.gz").write_bytes(packed)
        sizes[path.name] = len(packed)
    return sizes


def check_budget(sizes: dict[str, int]) -> None:
    for suffix, allowed in BUDGET.items():
        weight = sum(size for name, size in sizes.items() if name.endswith(suffix))
        if weight > allowed:
            raise BuildError(f"{suffix} weighs {weight} bytes compressed, over {allowed}")


def publish(base: str) -> None:
    draft = MANIFEST.with_suffix(".new")
    draft.write_text(json.dumps({"base": base}) + "\n")
    draft.replace(MANIFEST)


def remove_older(current: Path) -> None:
    for folder in BUILD.iterdir():
        if folder.is_dir() and folder != current:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
