"""The peer's part of `bench.working_time`: run by the interpreter of its environment.

Reads questions as JSON, and answers its rate and its results.
"""

import datetime as dt
import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

WORKDAYS = [0, 1, 2, 3, 4]


def main() -> None:
    """Answer the questions on standard input."""
    import businesstimedelta  # type: ignore[import-not-found] # in its environment only
    import pytz  # type: ignore[import-untyped] # likewise

    asked = json.load(sys.stdin)
    zone = pytz.timezone(asked["zone"])
    rule = businesstimedelta.WorkDayRule(
        start_time=dt.time(asked["opens"]),
        end_time=dt.time(asked["closes"]),
        working_days=WORKDAYS,
        tz=zone,
    )
    if asked["closed"]:
        closed = {dt.date.fromisoformat(each) for each in asked["closed"]}
        holidays = businesstimedelta.HolidayRule(closed, tz=zone)
        rule = businesstimedelta.Rules([rule, holidays])
    span = dt.timedelta(days=asked["elapsed_days"])
    promise = businesstimedelta.BusinessTimeDelta(rule, hours=asked["due_hours"])
    starts = [dt.datetime.fromisoformat(each) for each in asked["starts"]]

    def due(start: dt.datetime) -> Any:  # noqa: ANN401 # it has no types
        return start + promise

    def elapsed(start: dt.datetime) -> Any:  # noqa: ANN401 # likewise
        return rule.difference(start, start + span)

    seconds = asked["seconds"]
    answers: dict[str, Any] = {
        "due": [due(each).timestamp() for each in starts],
        "elapsed": [elapsed(each).timedelta.total_seconds() for each in starts],
        "due_a_second": a_second(due, starts, seconds),
        "elapsed_a_second": a_second(elapsed, starts, seconds),
    }
    json.dump(answers, sys.stdout)


def a_second(
    work: Callable[[dt.datetime], object],
    starts: list[dt.datetime],
    seconds: float,
) -> float:
    """Return how often `work` is done per second, repeated over all starts."""
    done, began = 0, perf_counter()
    while perf_counter() - began < seconds:
        for start in starts:
            work(start)
        done += len(starts)
    return done / (perf_counter() - began)


if __name__ == "__main__":
    main()
