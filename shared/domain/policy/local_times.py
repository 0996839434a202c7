"""Local times, which mean an instant only together with the zone beside them."""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

ZONE = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$"
# Whether the zone exists is checked when a policy is checked, not on each reading.
Zone = Annotated[str, StringConstraints(pattern=ZONE), Field(examples=["Europe/Paris"])]
HOUR = r"(?:[01]\d|2[0-3]):[0-5]\d"
"""A time of day, `00:00` to `23:59`, as a regular expression."""

_DATE = r"^\d{4}-\d{2}-\d{2}$"
_LOCAL = rf"^\d{{4}}-\d{{2}}-\d{{2}}T{HOUR}(:[0-5]\d)?$"


# The form is checked first: a plain number would pass as seconds since 1970.
def _date(written: object) -> date:
    if not isinstance(written, str) or not re.fullmatch(_DATE, written):
        raise ValueError("write a date such as 2025-06-30")
    try:
        return date.fromisoformat(written)
    except ValueError as wrong:
        raise ValueError("not a day of the calendar: correct it") from wrong


def _local(written: object) -> datetime:
    if not isinstance(written, str) or not re.fullmatch(_LOCAL, written):
        raise ValueError(
            "write a local time such as 2025-06-02T09:00, without an offset: "
            "the zone is in `timezone`"
        )
    try:
        return datetime.fromisoformat(written)
    except ValueError as wrong:
        raise ValueError("not a day of the calendar: correct it") from wrong


Day = Annotated[
    date,
    BeforeValidator(_date),
    WithJsonSchema({"type": "string", "pattern": _DATE, "examples": ["2025-06-30"]}),
]
LocalTime = Annotated[
    datetime,
    BeforeValidator(_local),
    PlainSerializer(lambda local: local.isoformat(timespec="seconds")),
    WithJsonSchema(
        {"type": "string", "pattern": _LOCAL, "examples": ["2025-06-02T09:00"]}
    ),
]
