"""Write the parts of the documents that follow from the code: states, rights, files.

Each part stands in its document between `<!-- generated: … -->` and `<!-- end -->`. With --write
the parts are replaced; without it, a part that is out of date is named and the answer is "no".
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from nrm.domain.lifecycle import LIFECYCLES, STATE_LABEL, Lifecycle, Step, allows
from nrm.domain.roles import GRANTS, HUMAN_ROLES, ROLE_LABEL, Permission, Relation, Role
from nrm.web import role_words

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PART = re.compile(r"(<!-- generated: (?P<name>[^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)

# How the access table names each relation, and what it means to somebody who reads no code.
RELATIONS: dict[Relation, tuple[str, str]] = {
    Relation.NO_RECORD: ("yes", "the act is about no one record: a list, a new flag, the log"),
    Relation.OWN_FLAG: ("own flag", "a case that this person flagged"),
    Relation.NATIONAL: ("every case", "every case and every referral of the country"),
    Relation.ASSIGNED: (
        "looks after it",
        "a case that this person looks after, or stands in for; or that nobody looks after yet",
    ),
    Relation.BROKEN_GLASS: (
        "emergency",
        "a case that this person opened in an emergency, with a reason, less than an hour ago",
    ),
    Relation.RECEIVER: ("received", "a referral to this organisation, whatever became of it"),
    Relation.LIVE_RECEIVER: (
        "received, live",
        "a referral to this organisation that waits for an answer, or is accepted and not over",
    ),
    Relation.ACCEPTED: ("accepted", "a referral that this organisation accepted and not over"),
    Relation.CONSENTED: (
        "accepted + consent",
        "as before, and what the person agreed to covers this compartment",
    ),
    Relation.OTHERS_LISTING: ("another’s", "a listing that somebody else submitted"),
    Relation.ANY_LISTING: ("any listing", "any listing of the directory"),
    Relation.OTHERS_ERASURE: ("another’s", "a request to erase that somebody else made"),
    Relation.UNSIGNED_RELEASE: ("not signed", "a release that this person has not signed yet"),
    Relation.OWN_ERASURE: ("own request", "a request to erase that this person made"),
    Relation.OFFERED_TO_ONESELF: ("offered to them", "an offer of a case to this person"),
    Relation.OWN_OFFER: (
        "own offer",
        "an offer of a case that this person made, or whose case this person looks after",
    ),
    Relation.OTHERS_GLASS: ("another’s", "an emergency access of somebody else"),
    Relation.COLLEAGUE: ("colleague’s", "the account of a colleague in the same organisation"),
    Relation.OTHERS_ACCOUNT: ("another’s", "somebody else’s account"),
    Relation.OTHERS_APPROVAL: (
        "another’s",
        "a request for approval that somebody else made, and that is not about this person",
    ),
    Relation.OWN_APPROVAL: ("own request", "a request for approval that this person made"),
}
# The data of a country pack, and templates, have no docstring of their own.
DATA = {
    "bulletin.typ": "the bulletin as it is set on paper; everything that it says comes in as data",
    "clocks.toml": "how long each act may take; proposals until somebody verifies them",
    "country.toml": "name, zone, languages, phone region and places of the country",
    "ctdc.toml": "aggregates in the codes of the Counter-Trafficking Data Collaborative",
    "demo.toml": "the invented organisations, people, listings and past of the demonstration",
    "hotlines.toml": "numbers to call, each to be verified before go-live",
    "institutions.toml": "the authorities that have a part in the mechanism, and who may flag",
    "places.csv": "provinces, districts and sectors",
    "population.toml": "how many people live in the country, for rates per 100,000",
    "sdg-16-2-2.toml": "victims per 100,000 residents, as the Sustainable Development Goals ask",
    "tiles.csv": "where each district stands on the map of equal squares; our own layout",
    "unodc-glotip.toml": "what UNODC asks for its global report; wording to be verified",
    "us-tip.toml": "what the report of the United States says every year; wording to be verified",
}


def main(arguments: list[str]) -> int:
    stale = [path for path in sorted(DOCS.rglob("*.md")) if drawn(path) != path.read_text("utf-8")]
    for path in stale:
        if "--write" in arguments:
            path.write_text(drawn(path), "utf-8")
        print(f"{path.relative_to(ROOT)} {'written' if '--write' in arguments else 'is stale'}")
    return 1 if stale and "--write" not in arguments else 0


def drawn(path: Path) -> str:
    """Return a document with its generated parts as the code says them now."""

    def part(found: re.Match[str]) -> str:
        return f"{found[1]}\n{parts()[found['name']]()}\n\n{found[3]}"

    return PART.sub(part, path.read_text("utf-8"))


def parts() -> dict[str, Callable[[], str]]:
    """Name every part that a document may ask for."""
    lifecycles = {one.name.lower(): one for one in LIFECYCLES}
    return {
        **{name: partial(lifecycle, one) for name, one in lifecycles.items()},
        "access": access,
        "relations": relations,
        "roles": roles,
        "files": files,
    }


# Lifecycles ---------------------------------------------------------------------------------------


def lifecycle(one: Lifecycle[Any]) -> str:
    return f"{diagram(one)}\n\n{steps_table(one)}"


def diagram(one: Lifecycle[Any]) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{STATE_LABEL[state]}" as {state}' for state in one.states]
    for step in one.steps:
        # In a diagram a colon begins the label, so the label itself has none.
        label = step.label.replace(":", ",")
        left = [state for state in one.states if state in step.leaves - {step.enters}]
        before = left or ["[*]"]
        lines += [f"    {state} --> {step.enters}: {label}" for state in before]
    return "\n".join([*lines, "```"])


def steps_table(one: Lifecycle[Any]) -> str:
    rows = ["| state | step | who may | what follows |", "|---|---|---|---|"]
    rows += [row("–", step, step.enters) for step in one.steps if not step.leaves]
    for state in one.states:
        taken = [step for step in one.steps if allows(state, step)]
        rows += [row(named(state), step, leads_to(step, state), now=state) for step in taken]
        if not taken:
            rows.append(f"| {named(state)} | – | – | nothing follows |")
    return "\n".join(rows)


def row(state: str, step: Step[Any], after: StrEnum, now: StrEnum | None = None) -> str:
    follows = "stays as it is" if after is now else f"→ {named(after)}"
    taken = f"{step.label} (`{step.name}`)"
    return f"| {state} | {taken} | {who_may(step.needs)} | {follows}. {step.done} |"


def leads_to(step: Step[Any], state: StrEnum) -> StrEnum:
    return state if state in step.stays else step.enters


def named(state: StrEnum) -> str:
    return f"{STATE_LABEL[state]} (`{state}`)"


def who_may(permission: Permission) -> str:
    return ", ".join(ROLE_LABEL[role] for role in Role if permission in GRANTS[role])


# Rights -------------------------------------------------------------------------------------------


def access() -> str:
    head = ["permission", *(ROLE_LABEL[role] for role in Role)]
    rows = [head, ["---"] * len(head)]
    rows += [
        [f"`{permission}`", *(granted(role, permission) for role in Role)]
        for permission in Permission
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def granted(role: Role, permission: Permission) -> str:
    held = GRANTS[role].get(permission, frozenset())
    return ", ".join(RELATIONS[relation][0] for relation in Relation if relation in held)


def relations() -> str:
    rows = ["| in the table | means |", "|---|---|", "| (empty) | refused, whatever the record |"]
    rows += [f"| {short} | {long} |" for short, long in RELATIONS.values()]
    return "\n".join(rows)


def roles() -> str:
    """Say every role in the words in which people read theirs."""
    return "\n\n".join(role_in_words(role_words.told(role)) for role in HUMAN_ROLES)


def role_in_words(told: role_words.Told) -> str:
    lines = [f"### {told.name}", "", told.purpose, ""]
    if not told.meets_people:
        lines += ["It reaches no person and no case.", ""]
    lines += ["| can | towards |", "|---|---|"]
    for _heading, held in told.groups:
        lines += [f"| {line.act} | {'; '.join(line.towards)} |" for line in held]
    if told.meets_people and told.closed:
        lines += ["", f"Stays closed: {'; '.join(told.closed)}."]
    return "\n".join(lines)


# Files --------------------------------------------------------------------------------------------


def files() -> str:
    """One table per folder of the program, one line per file that says something."""
    folders: dict[str, list[str]] = {}
    for path in program_files():
        name, words = path.relative_to(ROOT).as_posix(), what_it_holds(path)
        if words:
            folders.setdefault(path.parent.relative_to(ROOT).as_posix(), []).append(
                f"| `{name}` | {words} |"
            )
    return "\n\n".join(
        "\n".join([f"### {folder}/", "", "| file | what it holds |", "|---|---|", *rows])
        for folder, rows in sorted(folders.items())
    )


def program_files() -> Iterator[Path]:
    # What is or would be committed; the checkout may belong to another user, as in a container.
    git = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others"]
    listed = subprocess.run(
        [*git, "--exclude-standard", "nrm"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return (ROOT / name for name in sorted(listed.stdout.splitlines()) if (ROOT / name).is_file())


def what_it_holds(path: Path) -> str:
    """Take the first line of a module's docstring; an empty module has none and needs none."""
    if path.suffix != ".py":
        if path.name not in DATA:
            raise SystemExit(f"{path.relative_to(ROOT)}: say in DATA, in this tool, what it holds")
        return DATA[path.name]
    tree = ast.parse(path.read_text("utf-8"))
    words = (ast.get_docstring(tree) or "").partition("\n")[0].rstrip(".")
    if not words and path.name == "__main__.py":
        return "starts the command line with `python -m nrm.cli`"
    if not words and tree.body:
        raise SystemExit(f"{path.relative_to(ROOT)}: say in a docstring what this module holds")
    return words.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
