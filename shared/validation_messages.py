"""Sentences for validation errors that say what to do about an invalid value."""

from collections.abc import Mapping
from typing import Any

from shared.domain.bounded_text import MAIL_ADDRESS
from shared.domain.events.on_call import CHANGE_ID
from shared.domain.identifiers import INVITATION, MONTH, PAGE, PAGE_TEST
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
    r"^[^\x00]*$": "text without null characters",
    r"^[^\x00-\x1f]*$": "one line of text, without tabs or other control characters",
    r"^[0-9a-f-]{36}$": "the id of a file, as the incident lists it",
    r"^[A-Za-z0-9_-]{11,32}$": "the id of a saved view, as the list of views has it",
    r"^[A-Za-z0-9_-]{16,64}$": "16 to 64 letters, digits, - and _",
    r"^[^\s\x00-\x1f\x7f@<>]+@[^\s\x00-\x1f\x7f@<>]+$": (
        "an address, such as zoe@example.org"
    ),
    r"^https?://[^\s/?#]+(/[^\s?#]*)?$": "an address without a query",
    r"^[\x21-\x7e]+$": "a token, a link or a code as you were given it",
    f"^{MAIL_ADDRESS}$": "an address, such as zoe@example.org",
    r"^[0-9a-f]{12}$": "the id of a token or an invitation, as the list has it",
    r"^([0-9a-f]{12}|current)$": "the id of a session, as in the list, or `current`",
    r"^[0-9a-f]{64}$": "64 digits from 0 to f, as in the event that names it",
    r"^([A-Z][A-Z0-9]{1,9}-[A-Za-z0-9-]{1,32}"
    r"|[a-z][a-z0-9_]{0,31}/[A-Za-z0-9][A-Za-z0-9._-]{0,127})$": (
        "a reference such as PRB-1, CHG-2 or release/4.2"
    ),
    r"^(person|source|system):[A-Za-z0-9._-]{1,128}$": (
        "who it is, such as person:nadia or source:prometheus"
    ),
    r"^(?=\d)(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?$": (
        "a duration, such as 4h, 90m or 1h30m"
    ),
    r"^[a-z][a-z0-9_]{0,31}/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$": (
        "the type and id of a record, such as release/4.2"
    ),
    r"^[0-9]{6}$": "the six digits of the code",
    r"^\d{4}-\d{2}-\d{2}$": "a day, such as 2025-06-30",
    MONTH: "a month, such as 2025-06",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "a time of day, such as 22:00",
    r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$": (
        "a time zone, such as Europe/Paris"
    ),
    r"^[a-z][a-z0-9_]{0,31}$": "a type such as release or configuration_item",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$": "an id of letters, digits, . _ and -",
    r"^https?://[\x21-\x7e]+$": "an address that begins with http:// or https://",
    r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$": "letters, digits, spaces, _ . and -",
    r"^[A-Za-z0-9._-]{1,140}$": "the id of a role, as `people review` shows it",
    PAGE_TEST: "the reference of a page test, such as PT-nadia.3",
    INVITATION: "the reference of an invitation, such as INC-000042",
    CHANGE_ID: "the id of a change, as the list of changes has it: night.3",
    r"^[A-Za-z0-9_-]{8,32}$": "8 to 32 letters, digits, - and _",
    r"^[a-z_]{1,32}$": "the name of a command, such as `note`",
    r"^[0-9A-Za-z:.+~_-]{1,120}$": "a cursor, as the previous page gave it",
    r"^[0-9]+\.[a-z_.0-9]+$": "a cursor, as the previous page gave it",
    r"^[a-z_]{1,64}$": "the name of a reader, as `GET /v1/parked` has it",
    r"^[A-Za-z0-9][\x21-\x7e]{0,199}$": (
        "the name of a stream, such as incident-INC-000042"
    ),
    r"^[!-~]+$": "a name without spaces, such as INC-000042 or person:nadia",
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
    if "SVY-" in pattern:
        return "a reference such as INC-000042 or SVY-clients.20250701.lefevre"
    if pattern == PAGE:
        return "the key of a page, such as INC-000042.1.1.n2.0.1"
    for reference in _EXAMPLES:
        if pattern.startswith(f"^{reference[:3]}-"):
            return f"a reference such as {reference}"
    return _FORMS.get(pattern, _AS_DOCUMENTED)
