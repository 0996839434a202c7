"""The form of notification rules: what it shows, and the command it sends. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SETS = ("important", "default")
DELAYS = (0, 1, 2, 5, 10, 15, 30, 60)
"""Minutes to choose from."""
REPEATS = (1, 2, 3, 5)
FIELDS_MAX = 100
_MINUTE = 60
_OWN_DELAY = "0"


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A method in the form: whether a set of rules uses it, when, and how often."""

    method: str
    is_used: bool
    delay: str
    repeat: str


def lines(view: Mapping[str, Any], form: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the lines of each set of rules, as they were sent or else as they are."""
    methods = [each["method"] for each in view["items"] if each["verified"]]
    if form:
        return {name: [_sent(form, name, each) for each in methods] for name in SETS}
    rules = view["rules"] or {}
    return {
        name: [_held(rules.get(name) or (), each) for each in methods] for name in SETS
    }


def _sent(form: Mapping[str, str], name: str, method: str) -> RuleLine:
    start = f"{name}:{method}"
    return RuleLine(
        method,
        f"{start}:use" in form,
        form.get(f"{start}:delay", _OWN_DELAY),
        form.get(f"{start}:repeat", "1"),
    )


def _held(rules: Sequence[Mapping[str, Any]], method: str) -> RuleLine:
    for rule in rules:
        if rule["method"] == method:
            minutes = rule["delay_seconds"] // _MINUTE
            return RuleLine(method, True, str(minutes), str(rule["repeat"]))
    return RuleLine(method, False, _OWN_DELAY, "1")


def quiet(view: Mapping[str, Any], form: Mapping[str, str]) -> Mapping[str, str]:
    """Return the quiet hours of the form: as they were sent, otherwise as they are."""
    if form:
        return {name: form.get(f"quiet:{name}", "") for name in ("start", "end")}
    return (view["rules"] or {}).get("quiet_hours") or {"start": "", "end": ""}


def body_of_rules(form: Mapping[str, str], methods: Sequence[str]) -> dict[str, Any]:
    """Return the body of the command that a form means."""
    body: dict[str, Any] = {name: list(_rules(form, name, methods)) for name in SETS}
    start, end = form.get("quiet:start", ""), form.get("quiet:end", "")
    if start or end:
        body["quiet_hours"] = {"start": start, "end": end}
    return body


def _rules(
    form: Mapping[str, str], name: str, methods: Sequence[str]
) -> Iterator[dict[str, Any]]:
    used = (_sent(form, name, each) for each in methods)
    for line in used:
        if line.is_used:
            yield {
                "method": line.method,
                "delay_minutes": _number(line.delay),
                "repeat": _number(line.repeat),
            }


def _number(text: str) -> int | str:
    """Return a number; the API refuses what is not one."""
    return int(text) if text.isascii() and text.isdecimal() else text
