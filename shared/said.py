"""What to do about a value that is not understood, where the checker only names it."""

from collections.abc import Mapping
from typing import Any

_AN_INSTANT = "write an instant with its zone, such as 2025-06-30T09:00:00Z"
_EXAMPLES: Mapping[str, str] = {
    "INC": "INC-000042",
    "PRB": "PRB-000042",
    "CHG": "CHG-000042",
}


def said(error: Mapping[str, Any]) -> str:
    """Return what an error of pydantic's says, as a person would say it."""
    msg: str = error["msg"]
    match error["type"]:
        case str(kind) if kind.startswith(("datetime_", "timezone_")):
            return _AN_INSTANT
        case "string_pattern_mismatch" if error["loc"][-1] == "ref":
            found = (ref for kind, ref in _EXAMPLES.items() if f"^{kind}-" in msg)
            return f"write a reference such as {next(found, 'INC-000042')}"
        case "value_error":
            return msg.removeprefix("Value error, ")
        case _:
            return msg
