"""`permanence oncall page-test`: a fire drill of the way from a page to a person."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import desk_of
from cli.shell.output import AsJson, Exit, answer
from cli.shell.table import Table

PATH = "/v1/oncall/page-tests"
LOOK_SECONDS = 1.0
WAIT_MAX = 3_600
_COLUMNS = ("person", "by", "method", "state", "seconds", "reason")

Wait = Annotated[
    int,
    typer.Option(min=0, max=WAIT_MAX, help="How many seconds to wait for answers."),
]
IsPerson = Annotated[
    bool,
    typer.Option(
        "--person",
        help="The name is that of a person, although a schedule has it, too.",
    ),
]


def page_test_command(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="PERSON|SCHEDULE")],
    *,
    wait: Wait = 60,
    person: IsPerson = False,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,  # it takes effect by itself
) -> None:
    """Test the pages of a person, or of all who are on call in a schedule now.

    The messages go over the same rules, channels and retries as an important page, and
    each says that it is a test. Shows for every person and method when it was sent,
    accepted, delivered or why it failed, and when the person answered, in seconds since
    the request. Others than yourself only in their working hours.

    Exit codes: 0 everybody answered, or a provider reported a delivery to them; 1
    somebody was not reached in time, or could not be tested; 2 an option is wrong, or
    you may not; 3 the desk is not reachable.
    """
    desk = Api(api, token, desk_of(ctx).home)
    is_schedule = not person and name in _schedules(desk)
    started = desk.post(PATH, {"schedule" if is_schedule else "person": name})
    tests = _results(desk, started, wait)
    refused = started["refused"]
    rows = [row for test in tests for row in _rows(test)]
    rows += [_refused(each) for each in refused]
    answer({"tests": tests, "refused": refused}, Table(_COLUMNS, rows))
    if refused or not all(each["reached"] for each in tests):
        raise typer.Exit(Exit.DIFFERS)


def _schedules(desk: Api) -> frozenset[str]:
    return frozenset(each["schedule"] for each in desk.get("/v1/oncall")["items"])


def _results(
    desk: Api, started: Mapping[str, Any], wait: int
) -> Sequence[Mapping[str, Any]]:
    """Return the tests once all are answered, or as they are when the time is over."""
    wanted = {each["test"]: each["person"] for each in started["tests"]}
    until = time.monotonic() + wait
    while True:
        found = list(_read(desk, wanted, max(started["positions"], default=0)))
        left = until - time.monotonic()
        if left <= 0 or all(each["answered_at"] for each in found):
            return found
        time.sleep(min(LOOK_SECONDS, left))


def _read(
    desk: Api, wanted: Mapping[str, str], position: int
) -> Iterator[Mapping[str, Any]]:
    for test, person in wanted.items():
        query = {"person": person, "min_position": str(position)}
        items = desk.get(PATH, query)["items"]
        yield from (each for each in items if each["test"] == test)


def _rows(test: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    who = test["person"]
    yield who, "-", "-", "requested", "0.0", "-"
    for each in test["messages"]:
        yield (
            who,
            each["channel"],
            each["method"],
            each["state"].replace("_", " "),
            _seconds(each["seconds"]),
            each["reason"] or "-",
        )
    if test["answered_at"]:
        via = test["answered_via"]
        yield who, via, "-", "answered", _seconds(test["seconds"]), "-"
    else:
        yield who, "-", "-", "not answered", "-", "-"


def _refused(each: Mapping[str, Any]) -> Sequence[str]:
    return each["person"], "-", "-", "not tested", "-", each["detail"]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
