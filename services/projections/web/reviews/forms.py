"""The forms on the page of a review: the command that each of them sends."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote


class Command(NamedTuple):
    """The end of the path of a command, after that of the review, and its body."""

    path: str
    body: Mapping[str, Any]


Form = Mapping[str, str]


def _open(form: Form) -> Command:
    owner = form.get("owner", "").strip()
    return Command("", {"owner": owner} if owner else {})


def _write(form: Form) -> Command:
    text = form.get("text", "").replace("\r\n", "\n")
    after = form.get("after", "")
    based = {"after": int(after)} if after.isascii() and after.isdigit() else {}
    return Command(f"/sections/{_in_path(form, 'section')}", {"text": text, **based})


def _facts(form: Form) -> Command:
    """Leave out what is not ticked of the facts that were shown."""
    shown = [each for each in form.get("shown", "").split() if each.isdigit()]
    left_out = [int(each) for each in shown if f"fact:{each}" not in form]
    return Command("/facts", {"left_out": left_out})


def _plain(path: str, *names: str) -> Callable[[Form], Command]:
    """Return what makes a command from these fields; blank ones are absent."""

    def command(form: Form) -> Command:
        given = ((name, form.get(name, "").strip()) for name in names)
        return Command(path, {name: value for name, value in given if value})

    return command


def _of_action(end: str, *names: str) -> Callable[[Form], Command]:
    def command(form: Form) -> Command:
        return _plain(f"/actions/{_in_path(form, 'action')}/{end}", *names)(form)

    return command


def _in_path(form: Form, name: str) -> str:
    return quote(form.get(name, "") or "-", safe="")


FORMS: Mapping[str, Callable[[Form], Command]] = {
    "open": _open,
    "write": _write,
    "facts": _facts,
    "assign": _plain("/assign", "owner"),
    "submit": _plain("/submit"),
    "return": _plain("/return", "reason"),
    "publish": _plain("/publish"),
    "revise": _plain("/revise", "reason"),
    "open_action": _plain("/actions", "owner", "due", "task"),
    "assign_action": _of_action("assign", "owner", "due", "reason"),
    "complete_action": _of_action("done", "note"),
    "drop_action": _of_action("drop", "reason"),
}
"""The command of each form."""


def place_in(form: Form, verb: str) -> str:
    """Return which form of the page was sent, as `why` of the page names it."""
    about: Sequence[str] = [form.get(name, "") for name in ("section", "action")]
    return " ".join([verb, *(each for each in about if each)])
