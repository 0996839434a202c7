"""Periods as they are written in a question, and what is wrong with one."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from services.projections.api.asked import require_year, with_plus
from services.projections.metrics.periods import midnight
from shared.domain.policy.cross_checks import is_zone
from shared.domain.policy.durations import Duration
from shared.http.problem_details import HttpError

WITHIN_MAX = 10
"""How many delays one question may name."""

_EXAMPLE = (
    "write a day such as 2025-06-30, or an instant with its zone such as "
    "2025-06-30T09:00:00Z"
)


def _instant(written: object) -> date:
    text = str(with_plus(written))
    try:
        is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
        found = date.fromisoformat(text) if is_day else datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_EXAMPLE) from error
    if isinstance(found, datetime) and found.tzinfo is None:
        raise ValueError(_EXAMPLE)
    return require_year(found)


def _zone(written: str) -> str:
    if not is_zone(written):
        raise ValueError("no such time zone: write one such as Europe/Paris")
    return written


Instant = Annotated[
    date,
    PlainValidator(_instant),
    WithJsonSchema({"type": "string", "examples": ["2025-06-30"]}),
]
"""A day, or an instant, which is a `datetime`."""
ZoneName = Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Paris"])]
Delays = Annotated[tuple[Duration, ...], Field(max_length=WITHIN_MAX)]


def instant_of(asked: date, zone: ZoneInfo) -> datetime:
    """Return an instant as asked, in UTC; of a day its beginning in `zone`."""
    if isinstance(asked, datetime):
        return asked.astimezone(UTC)
    return midnight(asked, zone)


def require_order(names: tuple[str, str], start: datetime, end: datetime) -> None:
    """Let only a period pass that is not empty; `HttpError` 422."""
    if start >= end:
        first, last = names
        raise unwanted(
            last,
            f"`{last}` must be later than `{first}`: it is the instant after the last",
        )


def unwanted(parameter: str, sentence: str) -> HttpError:
    """Return the 422 for a parameter that is well formed and cannot be meant."""
    errors = [{"loc": ["query", parameter], "msg": sentence, "type": "unwanted"}]
    return HttpError(422, sentence, code="invalid", errors=errors)


def seconds_of(delays: tuple[timedelta, ...]) -> tuple[int, ...]:
    """Return delays in whole seconds, each once, by rising length."""
    return tuple(sorted({int(delay.total_seconds()) for delay in delays}))
