"""What changes between two policies, as sentences without their words. Pure.

Documents are compared as they were applied, so this version can compare all of them. A
change that no rule knows is stated by its path and its values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from pydantic import JsonValue

from shared.domain.policy.document import Change, difference
from shared.mistake import Path, path_text

Document = Mapping[str, JsonValue]
_NAMED = (
    "contracts",
    "heartbeats",
    "maintenance",
    "schedules",
    "services",
    "sources",
    "teams",
)
"""Parts of a policy that have names and a sentence of their own for each."""
_STEPS = ("functional", "hierarchical")
_VALUE_MAX = 200
"""Characters of a value in a sentence; all of it is in the difference."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a step pages: `kind` says how the name is meant."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class StepShape:
    """A step as a sentence says it: after how long, for which priorities, and whom."""

    after: str
    priorities: tuple[str, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Consequence:
    """A sentence about a change: its name in the catalog, and what fills its places."""

    name: str
    places: Mapping[str, str]
    before: StepShape | None = None
    after: StepShape | None = None


def consequences(before: Document, after: Document) -> list[Consequence]:
    """Return what is different from now on: paging first, then by path."""
    found = list(_of_steps(before, after))
    for change in _whole(before, after):
        if not _is_in_steps(change.path):
            found += _of_change(change)
    return found


def _whole(before: Document, after: Document) -> Iterator[Change]:
    """Yield the changes, of lists as a whole: a sentence says who is in one."""
    seen: set[Path] = set()
    for change in difference(before, after):
        cut = next(
            (n for n, step in enumerate(change.path) if isinstance(step, int)), 0
        )
        if not cut:
            yield change
        elif (path := change.path[:cut]) not in seen:
            seen.add(path)
            yield Change(path, "changed", _at(before, path), _at(after, path))


def _at(document: Document, path: Path) -> JsonValue:
    found: JsonValue = dict(document)
    for step in path:
        found = found.get(str(step)) if isinstance(found, dict) else None
    return found


def _of_change(change: Change) -> Iterator[Consequence]:
    """Yield the sentences about one value; one at least."""
    was, now = _text(change.before), _text(change.after)
    values = {"before": was, "after": now}
    match change.path:
        case ("targets", str(name), "tto" | "ttr" | "update" as kind, str(priority)):
            places = {"set": name, "priority": priority.upper(), **values}
            yield Consequence(f"{kind}_{change.kind}", places)
        case ("targets", str(name), "levels", str(level)):
            places = {"set": name, "level": level.upper(), **values}
            yield Consequence(f"level_{change.kind}", places)
        case ("priorities", str(impact), str(urgency)) if impact != "override":
            places = {"before": was.upper(), "after": now.upper()}
            yield Consequence(
                "priority", {"impact": impact, "urgency": urgency} | places
            )
        case ("teams", str(team), "members"):
            yield from _of_members(team, change)
        case _:
            yield _of_named(change, values)


def _of_named(change: Change, values: Mapping[str, str]) -> Consequence:
    """Return the sentence about a team, a service or another part with a name."""
    match change.path:
        case ("teams", str(team), "manager"):
            return Consequence("manager", {"team": team, **values})
        case ("services", str(service), "support"):
            return Consequence("support", {"service": service, **values})
        case (str(part), str(name)) if part in _NAMED and change.kind != "changed":
            return Consequence(f"{part}_{change.kind}", {"name": name})
        case _:
            places = {"path": path_text(change.path), **values}
            return Consequence(f"value_{change.kind}", places)


def _of_members(team: str, change: Change) -> Iterator[Consequence]:
    """Yield who joins and who leaves a team."""
    was, now = _names(change.before), _names(change.after)
    for person in now:
        if person not in was:
            yield Consequence("member_added", {"team": team, "person": person})
    for person in was:
        if person not in now:
            yield Consequence("member_removed", {"team": team, "person": person})


def _names(value: JsonValue) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return [] if value is None else [str(value)]


def _is_in_steps(path: Path) -> bool:
    """Return whether the sentences about steps say what changed at a path."""
    match path:
        case ("escalation", "functional" | "hierarchical", *_):
            return True
        case ("escalation", "policies", _, str(field), *_):
            return field == "steps"
        case ("escalation", "policies", *_):
            return True
        case _:
            return False


def _of_steps(before: Document, after: Document) -> Iterator[Consequence]:
    """Yield what changes in the steps of each escalation policy."""
    was, now = _policies(before), _policies(after)
    for name in sorted({*was, *now}):
        pairs = zip_longest(was.get(name, ()), now.get(name, ()))
        for number, (old, new) in enumerate(pairs, start=1):
            if old != new:
                yield _of_step(name, number, old, new)


def _of_step(policy: str, number: int, old: JsonValue, new: JsonValue) -> Consequence:
    kind = "changed" if old and new else "added" if new else "removed"
    shapes = [_shape(each) if each else None for each in (old, new)]
    if shapes[0] == shapes[1]:  # it differs in something that no sentence says
        kind = "other"
    places = {"policy": policy, "number": str(number)}
    return Consequence(f"step_{kind}", places, *shapes)


def _policies(document: Document) -> Mapping[str, Sequence[JsonValue]]:
    """Return the steps of each escalation policy, by name."""
    escalation = document.get("escalation")
    if not isinstance(escalation, dict):
        return {}
    found = {name: _list(escalation.get(name)) for name in _STEPS}
    named = escalation.get("policies")
    for name, own in named.items() if isinstance(named, dict) else ():
        found[name] = _list(own.get("steps") if isinstance(own, dict) else own)
    return found


def _list(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else ()


def _shape(step: JsonValue) -> StepShape:
    if not isinstance(step, dict):
        return StepShape(_text(step), (), ())
    pages = step.get("page")
    targets = tuple(_target(each) for each in (_list(pages) or [pages]))
    wanted = _list(step.get("priorities")) or _list(step.get("on"))
    after = step.get("after")
    priorities = tuple(str(each) for each in wanted)
    return StepShape(_text(after) if after else "", priorities, targets)


def _target(page: JsonValue) -> Target:
    if not isinstance(page, dict):
        return Target("other", _text(page))
    match page.get("who"):
        case "manager" | "members" as who:
            return Target(who, _text(page.get("team")))
        case "on_call" | "next" | "previous" as who:
            return Target(who, _text(page.get("schedule")))
        case _ if "person" in page:
            return Target("person", _text(page["person"]))
        case _:
            return Target("other", _text(page))


def _text(value: JsonValue) -> str:
    """Return a value as a sentence shows it."""
    match value:
        case None:
            return ""
        case list():
            text = ", ".join(_text(each) for each in value)
        case dict():
            text = ", ".join(f"{key}: {_text(each)}" for key, each in value.items())
        case _:
            text = str(value)
    return text if len(text) <= _VALUE_MAX else f"{text[:_VALUE_MAX]}…"
