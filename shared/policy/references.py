"""Whatever a document names must be in it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from shared.mistake import Path
from shared.policy.selecting import names, values
from shared.policy.sources import LABELS
from shared.yaml12 import Plain

HINTS_MAX = 20
"""Names in one document for which the one that was meant is looked for."""

_TO = {
    "teams": (
        "desk.team",
        "services.*.support.*",
        "problems.team",
        "enrichment.*.set.team",
        "escalation.functional.*.page.team",
        "escalation.hierarchical.*.page.team",
        "escalation.nobody_on_call.page.team",
    ),
    "calendars": (
        "desk.calendar",
        "contracts.*.calendar",
        "contracts.*.p1_calendar",
        "heartbeats.*.calendar",
    ),
    "targets": ("contracts.*.targets", "contracts.*.also.*.targets"),
    "services": (
        "contracts.*.services.*",
        "contracts.*.also.*.when.service.*",
        "sources.*.service",
        "heartbeats.*.service",
        "maintenance.*.service",
        "enrichment.*.set.service",
        "surveys.*.scope.services.*",
    ),
    "sources": ("heartbeats.*.source",),
    "schedules": (
        "escalation.functional.*.page.schedule",
        "escalation.hierarchical.*.page.schedule",
        "escalation.nobody_on_call.page.schedule",
    ),
}


def dangling(document: Plain) -> Iterator[tuple[Path, str]]:
    """Yield the path of every name that leads nowhere, and what to do about it."""
    hints = _Hints()
    for section, patterns in _TO.items():
        known = dict.fromkeys(names(document, section))
        for pattern in patterns:
            for path, name in values(document, pattern):
                if isinstance(name, str) and not _is_elsewhere(name, known):
                    yield path, hints.nowhere(section, name, known)
    yield from _strangers(document)
    yield from _skills(document, hints)
    yield from _problem_team(document)


def _is_elsewhere(name: str, known: Collection[str]) -> bool:
    return name in known or name.startswith(LABELS)


@dataclass(slots=True)
class _Hints:
    """Says what leads nowhere; looks for what was meant only so often.

    Comparing one name with thousands takes a moment, thousands of names minutes.
    """

    left: int = HINTS_MAX

    def nowhere(self, section: str, name: str, known: Collection[str]) -> str:
        """Return the sentence about a name that is not in a section."""
        near = get_close_matches(name, known, 1) if self.left > 0 else []
        self.left -= 1
        hint = f"did you mean `{near[0]}`?" if near else "correct it"
        return f"`{name}` is not under `{section}`: add it there, or {hint}"


def _strangers(document: Plain) -> Iterator[tuple[Path, str]]:
    members = {
        member
        for _, member in values(document, "teams.*.members.*")
        if isinstance(member, str)
    }
    for path, person in values(document, "schedules.*.rotation.participants.*"):
        if isinstance(person, str) and person not in members:
            yield (
                path,
                f"`{person}` is in no team: make them a member, or take them out",
            )


def _skills(document: Plain, hints: _Hints) -> Iterator[tuple[Path, str]]:
    services = dict.fromkeys(names(document, "services"))
    for path, _ in values(document, "teams.*.skills.*"):
        if path[-1] not in services:
            yield path, hints.nowhere("services", str(path[-1]), services)
    members: dict[Path, list[Plain]] = {}
    for path, member in values(document, "teams.*.members.*"):
        members.setdefault(path[:2], []).append(member)
    for path, person in values(document, "teams.*.skills.*.*"):
        if person not in members.get(path[:2], []):
            yield path, f"`{person}` is not in this team: add them to its `members`"


def _problem_team(document: Plain) -> Iterator[tuple[Path, str]]:
    if isinstance(document, dict) and isinstance(document.get("problems"), dict):
        is_named = any(values(document, "problems.team"))
        if not is_named and "problem" not in names(document, "teams"):
            yield (
                ("problems",),
                "say which `team` takes problems, or add one, `problem`",
            )
