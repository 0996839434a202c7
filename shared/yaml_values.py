"""What the words of a YAML file are worth, whichever parser has read them."""

import re
from collections.abc import Mapping

DEPTH_MAX = 20

Plain = str | int | bool | None | list["Plain"] | dict[str, "Plain"]

# Neither JSON nor PostgreSQL can keep these.
UNKEEPABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


def unquoted(text: str) -> str | int | bool | None:
    """Return the value of a scalar that is written without quotes."""
    return int(text) if _INTEGER.fullmatch(text) else _WORDS.get(text, text)
