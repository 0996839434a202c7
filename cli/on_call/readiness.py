"""`permanence oncall readiness`: whether those who are on call soon can be paged."""

from typing import Annotated

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import desk_of
from cli.shell.output import AsJson, answer
from cli.shell.table import Table


def readiness_command(
    ctx: typer.Context,
    *,
    days: Annotated[
        int, typer.Option(help="How many days from now on, up to 60.")
    ] = 14,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,  # it takes effect by itself
) -> None:
    """Show who is on call in the next days, and who has no verified contact method.

    Times without anybody on call are listed as gaps. `last test` is when a test of
    their pages last reached a person.

    Exit codes: 0 done, 2 an option is wrong, or you may not, 3 the desk is not
    reachable.
    """
    desk = Api(api, token, desk_of(ctx).home)
    found = desk.get("/v1/oncall/readiness", {"days": str(days)})
    rows = [
        [
            each["schedule"],
            one["person"],
            one["from"],
            one["to"],
            one["readiness"],
            one["last_test_reached_at"] or "never",
        ]
        for each in found["items"]
        for one in each["people"]
    ] + [
        [each["schedule"], "nobody", gap["from"], gap["to"], "gap", "-"]
        for each in found["items"]
        for gap in each["gaps"]
    ]
    columns = ["schedule", "on call", "from", "to", "readiness", "last test"]
    empty = "Nobody is on call in these days."
    answer(found["items"], Table(columns, rows, empty=empty))
