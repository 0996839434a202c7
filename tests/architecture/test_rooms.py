"""How the house is divided: folders one can take in, files that earn their place."""

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

from tests.support.compose import ROOT

PACKAGES = ("services", "shared", "cli", "standalone", "demo")
FILES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FOLDER_MAX = 18
SMALL = 60
ROLES = {
    "app",
    "commands",
    "endpoints",
    "events",
    "probe",
    "rules",
    "schemas",
    "state",
    "store",
    "subscriber",
    "subscriptions",
    "tables",
    "views",
    "worker",
}
"""Names of roles: a file of a role may be small, since its reader expects it there."""
STORIES = re.compile(
    r"\w*(?:ing|ted|ken|told|said|asked|wanted|sought|known|heard)|news|lines|whys|habits"
)
"""Verbs and pronouns: they tell a story, and do not say what is in the file."""
NOUNS = {
    "evening",
    "forwarding",
    "gcp_monitoring",
    "mapping",
    "monitoring",
    "morning",
    "paging",
    "rendering",
}


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _imported(path: Path) -> set[str]:
    """Return every module, and every name of one, that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=found):
                names |= {alias.name for alias in found}
            case ast.ImportFrom(module=str(module), names=found):
                names.add(module)
                names |= {f"{module}.{alias.name}" for alias in found}
            case _:
                pass
    return names


def _is_one_of_many(path: Path) -> bool:
    """Say whether a file is a command, format, room or router: found by its own name.

    What registers them is their one reader, and no better place for them.
    """
    is_router = "\nrouter = APIRouter(" in path.read_text(encoding="utf-8")
    is_listed = not {"formats", "rooms"}.isdisjoint(path.parts)
    return is_router or is_listed or path.is_relative_to(ROOT / "cli")


def test_a_folder_has_few_enough_files_to_be_taken_in_at_a_glance() -> None:
    files = Counter(path.parent for path in (*FILES, *TESTS) if path.stem != "__init__")

    crowded = {
        str(folder.relative_to(ROOT)): number
        for folder, number in files.items()
        if number > FOLDER_MAX
    }
    assert crowded == {}, "divide the folder by nouns"


def test_a_small_file_with_one_reader_has_a_role_or_belongs_to_its_reader() -> None:
    importers: defaultdict[str, set[Path]] = defaultdict(set)
    for path in FILES:
        for name in _imported(path):
            importers[name].add(path)

    lonely = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.stem not in {"__init__", "__main__"} | ROLES
        and not _is_one_of_many(path)
        and len(importers[_module(path)]) == 1
        and len(path.read_text(encoding="utf-8").splitlines()) < SMALL
    ]
    assert lonely == [], "put it into the file that imports it, or give it a role"


def test_a_file_is_named_by_what_it_is() -> None:
    stories = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.stem not in NOUNS and STORIES.fullmatch(path.stem)
    ]

    assert stories == []
