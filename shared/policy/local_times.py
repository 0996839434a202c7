"""Times on the wall: they mean an instant only together with the zone beside them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer, StringConstraints

# Whether the zone exists is asked when a policy is checked, not each time it is read.
Zone = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$")
]
HOUR = r"(?:[01]\d|2[0-3]):[0-5]\d"
"""A time of day, `00:00` to `23:59`, as a regular expression."""


def _without_offset(local: datetime) -> datetime:
    if local.tzinfo is not None:
        raise ValueError("leave the offset out: the zone is in `timezone`")
    return local


LocalTime = Annotated[
    datetime,
    AfterValidator(_without_offset),
    PlainSerializer(lambda local: local.isoformat(timespec="seconds")),
]
