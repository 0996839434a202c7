"""`permanence oncall now` and others: change who is on call, over the API of a desk."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import desk_of
from cli.shell.output import AsJson, Exit, answer, refused
from cli.shell.table import Table

app = typer.Typer()

_Schedule = Annotated[str, typer.Argument(help="A schedule of the policy.")]
_Start = Annotated[
    str | None,
    typer.Option(help="An instant with its zone: 2030-06-01T18:00:00Z. Default: now."),
]
_From = Annotated[str, typer.Option("--start", help="An instant with its zone.")]
_End = Annotated[
    str, typer.Option(help="An instant with its zone; it does not belong to it.")
]
_Role = Annotated[
    str, typer.Option(help="`primary`, `secondary`, `shadow` or `manager`.")
]
_Change = Annotated[
    str, typer.Argument(help="As `oncall changes` shows it: `night.3`.")
]
_SHIFT_PARTS = 3


class _Kind(StrEnum):
    override = "override"
    swap = "swap"
    temporary = "temporary"
    absence = "absence"


@app.command()
def now(
    ctx: typer.Context,
    schedule: Annotated[
        str | None, typer.Argument(help="Default: all schedules.")
    ] = None,
    *,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show who is on call now, until when, and who is next."""
    query = {"schedule": schedule} if schedule else {}
    items = _api(ctx, api, token).get("/v1/oncall", query)["items"]
    rows = [
        (
            item["schedule"],
            ", ".join(item["people"]) or "nobody",
            item["to"] or "-",
            ", ".join(item["next_people"]) or "-",
        )
        for item in items
    ]
    columns = ("schedule", "on call", "until", "next")
    answer(items, Table(columns, rows, empty="The policy has no schedules."))


@app.command()
def changes(
    ctx: typer.Context,
    schedule: _Schedule,
    *,
    past: Annotated[
        bool, typer.Option("--past", help="Also those that are over or withdrawn.")
    ] = False,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List what people changed of a schedule, the newest first."""
    path = f"/v1/oncall/{quote(schedule, safe='')}/changes"
    found = _api(ctx, api, token).get(path, {"past": "true" if past else "false"})
    rows = [
        (each["id"], each["kind"], each["state"], _who(each), each["from"], each["to"])
        for each in found["items"]
    ]
    columns = ("id", "kind", "state", "who", "from", "to")
    answer(found["items"], Table(columns, rows, empty="Nobody changed it."))


@app.command()
def override(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    schedule: _Schedule,
    *,
    add: Annotated[str | None, typer.Option(help="Who is put on call.")] = None,
    remove: Annotated[
        str | None, typer.Option(help="Whose place they take, or who is taken off.")
    ] = None,
    start: _Start = None,
    end: _End,
    role: _Role = "primary",
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Put a person on call in addition, in the place of another, or take one off."""
    kind = "replace" if add and remove else "add" if add else "remove"
    body = {
        "kind": kind,
        "add": add,
        "remove": remove,
        "start": start,
        "end": end,
        "role": role,
    }
    _send(_api(ctx, api, token), _path(schedule, "overrides"), body, "Recorded")


@app.command()
def swap(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    schedule: _Schedule,
    other: Annotated[str, typer.Argument(help="The colleague.")],
    *,
    start: _From,
    end: _End,
    other_start: Annotated[
        str | None, typer.Option(help="In exchange you take over from then …")
    ] = None,
    other_end: Annotated[str | None, typer.Option(help="… until then.")] = None,
    role: _Role = "primary",
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask a colleague to take over; it counts once they accept."""
    body = {
        "other": other,
        "start": start,
        "end": end,
        "other_start": other_start,
        "other_end": other_end,
        "role": role,
    }
    _send(_api(ctx, api, token), _path(schedule, "swaps"), body, "Asked")


@app.command("accept-swap")
def accept_swap(
    ctx: typer.Context,
    change: _Change,
    *,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Accept a swap that a colleague asked you for."""
    path = _path(_owner(change), "swaps", change, "accept")
    _send(_api(ctx, api, token), path, {}, "Accepted")


@app.command("decline-swap")
def decline_swap(
    ctx: typer.Context,
    change: _Change,
    *,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Decline a swap that a colleague asked you for."""
    path = _path(_owner(change), "swaps", change, "decline")
    _send(_api(ctx, api, token), path, {}, "Declined")


@app.command()
def absence(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(help="Yourself, or somebody you manage.")],
    *,
    start: _Start = None,
    end: _End,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Note that a person is away: the next participant takes their turns."""
    path = f"/v1/people/{quote(person, safe='')}/absences"
    _send(_api(ctx, api, token), path, {"start": start, "end": end}, "Recorded")


@app.command()
def temporary(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    schedule: _Schedule,
    *,
    shift: Annotated[
        list[str],
        typer.Option(
            metavar="'PEOPLE START END'",
            help="People with commas between, and two instants; repeat it for several.",
        ),
    ],
    start: _Start = None,
    end: _End,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Give a schedule other shifts for a while."""
    body = {"start": start, "end": end, "shifts": [_shift(each) for each in shift]}
    path = _path(schedule, "temporary-schedules")
    _send(_api(ctx, api, token), path, body, "Recorded")


@app.command()
def withdraw(
    ctx: typer.Context,
    kind: Annotated[_Kind, typer.Argument(help="What it is.")],
    change: _Change,
    *,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a change: it ends now, or never begins."""
    owner = _owner(change)
    match kind:
        case _Kind.override:
            path = _path(owner, "overrides", change, "withdraw")
        case _Kind.swap:
            path = _path(owner, "swaps", change, "withdraw")
        case _Kind.temporary:
            path = _path(owner, "temporary-schedules", change, "withdraw")
        case _Kind.absence:
            id_ = quote(change, safe="")
            path = f"/v1/people/{quote(owner, safe='')}/absences/{id_}/withdraw"
    _send(_api(ctx, api, token), path, {}, "Withdrawn")


def _api(ctx: typer.Context, url: str | None, token: str | None) -> Api:
    return Api(url, token, desk_of(ctx).home)


def _path(schedule: str, *parts: str) -> str:
    return "/".join(
        ["/v1/oncall", *(quote(each, safe="") for each in (schedule, *parts))]
    )


def _owner(change: str) -> str:
    """Return the schedule or the person that the id of a change begins with."""
    return change.rpartition(".")[0] or change


def _shift(written: str) -> Mapping[str, object]:
    parts = written.split()
    if len(parts) != _SHIFT_PARTS:
        sentence = (
            f"--shift '{written}': write the people and two instants, such as "
            "'ada,bo 2030-06-01T18:00:00Z 2030-06-02T08:00:00Z'"
        )
        raise refused(sentence, Exit.INVALID)
    people, start, end = parts
    return {"people": people.split(","), "start": start, "end": end}


def _send(api: Api, path: str, body: Mapping[str, Any], done: str) -> None:
    given = {name: value for name, value in body.items() if value is not None}
    found = api.post(path, given)
    said = f"{done}: {found['change']}, from {found['start']} to {found['end']}."
    if found["outcome"] == "already":
        said = f"{found['change']} is so already."
    answer(found, said, *_considered(found["warnings"]))


def _considered(warnings: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"Consider: {each['sentence']}." for each in warnings]


def _who(item: Mapping[str, Any]) -> str:
    match item["kind"]:
        case "override":
            added = [f"+{item['add']}"] if item["add"] else []
            removed = [f"-{item['remove']}"] if item["remove"] else []
            return " ".join([*added, *removed])
        case "swap":
            return f"{item['person']} asks {item['other']}"
        case "absence":
            return str(item["person"])
        case _:
            people = [each for shift in item["shifts"] for each in shift["people"]]
            return ", ".join(dict.fromkeys(people))
