"""`permanence oncall history` and `statement`: what a running desk has recorded."""

import json
from typing import Annotated
from urllib.parse import quote

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import desk_of
from cli.shell.output import AsJson, answer
from cli.shell.table import Table

_OPEN = "…"


def history_command(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    schedule: Annotated[str, typer.Argument(metavar="SCHEDULE")],
    *,
    since: Annotated[
        str,
        typer.Option("--from", help="A day at the desk, or an instant."),
    ],
    until: Annotated[str, typer.Option("--to", help="The end, not part of it.")],
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Answer as a table for a spreadsheet.")
    ] = False,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,  # it takes effect by itself
) -> None:
    """Show who was on call in a period, as it was recorded, hand-over by hand-over.

    Managers and auditors see everybody, others their own periods. Exit codes: 0 done,
    2 an option is wrong, or you may not, 3 the desk is not reachable.
    """
    path = f"/v1/oncall/{quote(schedule, safe='')}/history"
    query = {"from": since, "to": until}
    desk = Api(api, token, desk_of(ctx).home)
    if as_csv:
        typer.echo(desk.text(path, query | {"format": "csv"}), nl=False)
        return
    items = desk.get(path, query)["items"]
    rows = [
        [each["role"], each["from"], each["to"] or _OPEN, ", ".join(each["people"])]
        for each in items
    ]
    answer(items, Table(["as", "from", "to", "on call"], rows))


def statement_command(
    ctx: typer.Context,
    *,
    month: Annotated[str, typer.Option(help="Such as 2026-11.")],
    person: Annotated[
        str | None, typer.Option(help="Only of this one, in JSON. Default: everybody.")
    ] = None,
    api: ApiUrl = None,
    token: Token = None,
) -> None:
    """Print the hours of standby and of intervention in a month, kept apart.

    Everybody's as a table, for those whom `desk.payroll` of the policy names; one's own
    in JSON. Exit codes: 0 done, 2 an option is wrong, or you may not, 3 the desk is not
    reachable.
    """
    desk, query = Api(api, token, desk_of(ctx).home), {"month": month}
    if person is None:
        typer.echo(desk.text("/v1/oncall/statement.csv", query), nl=False)
        return
    path = f"/v1/people/{quote(person, safe='')}/on-call-statement"
    typer.echo(json.dumps(desk.get(path, query), ensure_ascii=False, indent=1))
