"""Whatever a document names must be in it."""

from collections.abc import Iterator
from difflib import get_close_matches

from shared.mistake import Path
from shared.policy.selecting import names, values
from shared.policy.sources import LABELS
from shared.yaml12 import Plain

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
    for section, patterns in _TO.items():
        known = names(document, section)
        for pattern in patterns:
            for path, name in values(document, pattern):
                if isinstance(name, str) and not _is_elsewhere(name, known):
                    yield path, _nowhere(section, name, known)
    yield from _strangers(document)
    yield from _skills(document)
    yield from _problem_team(document)


def _is_elsewhere(name: str, known: list[str]) -> bool:
    return name in known or name.startswith(LABELS)


def _nowhere(section: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1)
    hint = f"did you mean `{near[0]}`?" if near else "correct it"
    return f"`{name}` is not under `{section}`: add it there, or {hint}"


def _strangers(document: Plain) -> Iterator[tuple[Path, str]]:
    members = [member for _, member in values(document, "teams.*.members.*")]
    for path, person in values(document, "schedules.*.rotation.participants.*"):
        if person not in members:
            yield (
                path,
                f"`{person}` is in no team: make them a member, or take them out",
            )


def _skills(document: Plain) -> Iterator[tuple[Path, str]]:
    services = names(document, "services")
    for path, _ in values(document, "teams.*.skills.*"):
        if path[-1] not in services:
            yield path, _nowhere("services", str(path[-1]), services)
    for path, person in values(document, "teams.*.skills.*.*"):
        team = str(path[1])
        if person not in [m for _, m in values(document, f"teams.{team}.members.*")]:
            yield path, f"`{person}` is not in this team: add them to its `members`"


def _problem_team(document: Plain) -> Iterator[tuple[Path, str]]:
    if isinstance(document, dict) and isinstance(document.get("problems"), dict):
        is_named = any(values(document, "problems.team"))
        if not is_named and "problem" not in names(document, "teams"):
            yield (
                ("problems",),
                "say which `team` takes problems, or add one, `problem`",
            )
