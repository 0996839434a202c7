"""`permanence sla move`: moves live promises to another version of the policy.

It uses the API of a running desk, a page at a time; after an interruption the same
command continues.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import HOME, Home
from cli.shell.output import AsJson, Exit, Sheet, answer, counted, refused, table_of

To = Annotated[int, typer.Option(help="The version of the policy.", min=1)]
Contract = Annotated[
    str | None, typer.Option(help="Only incidents this contract promises about.")
]
Service = Annotated[str | None, typer.Option(help="Only incidents of this service.")]
Incident = Annotated[str | None, typer.Option(help="Only this one: INC-000042.")]
Preview = Annotated[bool, typer.Option("--preview", help="Show it; move nothing.")]
Reason = Annotated[str | None, typer.Option(help="Why; it is kept with each incident.")]
Operation = Annotated[
    str | None,
    typer.Option(help="What the move is called; else after what it is for."),
]
Limit = Annotated[int, typer.Option(help="Incidents of one page.", min=1, max=200)]
SHOWN_MAX = 200
"""Promises that are shown; all are counted."""


def move_command(  # noqa: PLR0913 # each is an option
    *,
    to: To,
    contract: Contract = None,
    service: Service = None,
    incident: Incident = None,
    preview: Preview = False,
    reason: Reason = None,
    operation: Operation = None,
    limit: Limit = 50,
    api: ApiUrl = None,
    token: Token = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Move promises of open incidents to another version of the policy.

    With `--preview`, show what would change. A move moves each incident once: after an
    interruption the same command continues; to repeat the move later, give it another
    name with `--operation`. It takes the role desk-manager and a reason. Exit codes: 0
    done or shown, 2 refused, 3 the desk is not reachable.
    """
    desk = Api(api, token, Path(home))
    only = {"contract": contract, "service": service, "incident": incident}
    named = {name: value for name, value in only.items() if value is not None}
    given: dict[str, object] = {"to": to, "limit": limit, **named}
    if preview:
        pages = _previewed(desk, given, as_json=as_json)
        _show(list(_items(pages)), f"would be moved to version {to}", None, as_json)
        return
    if reason is None:
        sentence = "say why with --reason, or look first with --preview"
        raise refused(as_json, sentence, Exit.INVALID)
    name = operation or "-".join(["to", str(to), *named.values()])
    pages = _moved(desk, name, given | {"reason": reason}, as_json=as_json)
    _show(list(_items(pages)), f"moved to version {to}", name, as_json)


def moved_command(
    operation: Annotated[str, typer.Argument(help="What the move is called.")],
    api: ApiUrl = None,
    token: Token = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Show the progress of a move: incidents moved, and left.

    Exit codes: 0 shown, 2 no such move, 3 the desk is not reachable.
    """
    desk = Api(api, token, Path(home))
    seen = desk.get(f"/v1/sla/moves/{operation}", {}, as_json=as_json)
    answer(
        as_json,
        seen,
        f"{operation}: {counted(seen['moved'], 'incident')} moved to version "
        f"{seen['to']}, {seen['left']} left; begun by {seen['by']}: {seen['reason']}",
    )


def _previewed(desk: Api, given: dict[str, object], *, as_json: bool) -> Iterator[Any]:
    after: dict[str, object] = {}
    while True:
        page = desk.get("/v1/sla/preview-move", given | after, as_json=as_json)
        yield page
        if page["next_after"] is None:
            return
        after = {"after": page["next_after"]}


def _moved(
    desk: Api, operation: str, body: dict[str, object], *, as_json: bool
) -> Iterator[Any]:
    path = f"/v1/sla/moves/{operation}"
    after: dict[str, object] = {}
    while True:
        page = desk.post(path, body | after, as_json=as_json)
        yield page
        if page["next_after"] is None:
            return
        after = {"after": page["next_after"]}


def _items(pages: Iterator[Any]) -> Iterator[dict[str, Any]]:
    for page in pages:
        yield from page["items"]


def _show(
    items: list[dict[str, Any]], done: str, operation: str | None, as_json: bool
) -> None:
    plain: dict[str, object] = {"items": items}
    if operation is not None:
        plain["operation"] = operation
    number = counted(len(items), "incident")
    late = sum(p["breached_at_once"] for each in items for p in each["promises"])
    said = f"{number} {done}; {counted(late, 'promise')} broken at once."
    answer(as_json, plain, _table(items), said)


def _table(items: list[dict[str, Any]]) -> Sheet:
    table = table_of("incident", "promise", "", "target", "due", "at once")
    promises = [(each["incident"], p) for each in items for p in each["promises"]]
    for incident, told in promises[:SHOWN_MAX]:
        table.add_row(
            incident,
            told["target"],
            told["change"],
            _both(_hours(told["was_seconds"]), _hours(told["seconds"])),
            _both(told["was_due_at"] or "", told["due_at"] or ""),
            "broken" if told["breached_at_once"] else "",
        )
    return table


def _both(before: str, after: str) -> str:
    return after if before == after else f"{before or '–'} → {after or '–'}"


def _hours(seconds: int | None) -> str:
    if seconds is None:
        return ""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}h{rest // 60:02}"
