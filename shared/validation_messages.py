"""Sentences for validation errors that say what to do about an invalid value."""

from collections.abc import Mapping
from typing import Any

from shared.domain.policy.clause import LANGUAGE, NAME, PERSON

_AN_INSTANT = "write an instant with its zone, such as 2025-06-30T09:00:00Z"
_EXAMPLES = ("INC-000042", "PRB-000042", "CHG-000042")
_LINE = r"^[^\x00-\x1f]+$"
_FORMS: Mapping[str, str] = {
    NAME: "a name of letters, digits, - and _, at most 64",
    PERSON: "a person's id: letters, digits, . - and _, at most 128",
    LANGUAGE: "a language by its two letters, such as fr",
    _LINE: "one line of text, without tabs or other control characters",
    r"^[0-9+ ().-]{4,40}$": "a telephone number, such as +33 1 23 45 67 89",
    r"^[0-9a-f]{64}$": "64 digits from 0 to f, as in the event that names it",
    r"^[0-9]{1,18}$": "a position of the log: a whole number",
    r"^([0-9]{1,9}-[0-9a-f]{8}:)?[0-9]{1,18}$": "the id of the last event you heard",
}
_AS_DOCUMENTED = "it in the form that the API's description gives (`/docs`)"


def said(error: Mapping[str, Any]) -> str:
    """Return the message of a pydantic error in plain words."""
    msg: str = error["msg"]
    match error["type"]:
        case str(kind) if kind.startswith(("datetime_", "timezone_")):
            return _AN_INSTANT
        case "string_pattern_mismatch":
            return f"write {_form(error.get('ctx', {}).get('pattern', ''))}"
        case "value_error":
            return msg.removeprefix("Value error, ")
        case _:
            return msg


def _form(pattern: str) -> str:
    """Describe a pattern in words, so that nobody has to read it."""
    if pattern.endswith("-E[0-9]{1,4}$"):
        return "a reference such as INC-000042-E1"
    for reference in _EXAMPLES:
        if pattern.startswith(f"^{reference[:3]}-"):
            return f"a reference such as {reference}"
    return _FORMS.get(pattern, _AS_DOCUMENTED)
