"""`permanence surveys`: the results of a running desk, published and followed up."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import desk_of, remember
from cli.shell.output import AsJson, answer
from cli.shell.table import Table

app = typer.Typer()
surveys = typer.Typer(
    callback=remember,
    help="Surveys: who was asked and how they answered, published and followed up.\n\n"
    "Exit codes: 0 done, 2 an option is wrong, or you may not, 3 the desk is not "
    "reachable.",
    no_args_is_help=True,
)
app.add_typer(surveys, name="surveys")

Survey = Annotated[str, typer.Argument(metavar="SURVEY")]
Since = Annotated[str, typer.Option("--from", help="The first day, at the desk.")]
Until = Annotated[str, typer.Option("--to", help="The day after the last.")]
_NOTHING = "–"


@surveys.command("list")
def list_command(
    ctx: typer.Context,
    *,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List the surveys of the policy: what was published last, and what is to be done.

    Exit codes: 0 done, 2 you may not, 3 the desk is not reachable.
    """
    items = _desk(ctx, api, token).get("/v1/surveys", {})["items"]
    rows = [
        [
            each["survey"],
            each["audience"],
            each["owner"],
            each["published"][0]["from"] if each["published"] else _NOTHING,
            str(sum(action["done_at"] is None for action in each["actions"])),
            str(sum(action["overdue"] for action in each["actions"])),
        ]
        for each in items
    ]
    head = ["survey", "audience", "owner", "published from", "open", "overdue"]
    answer(items, Table(head, rows))


@surveys.command("results")
def results_command(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    survey: Survey,
    *,
    since: Annotated[
        str | None, typer.Option("--from", help="Default: the first of this month.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Default: the end of that month.")
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Answer as a table for a spreadsheet.")
    ] = False,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,  # it takes effect by itself
) -> None:
    """Show how users answered in a period: the whole, by channel, service and team.

    Fewer answers than the survey asks for have no figure; figures of fewer than five
    are for its owner alone. Exit codes: 0 done, 2 an option is wrong, or you may not,
    3 the desk is not reachable.
    """
    path = f"/v1/surveys/{quote(survey, safe='')}/results"
    days = (("from", since), ("to", until))
    query = {name: day for name, day in days if day is not None}
    desk = _desk(ctx, api, token)
    if as_csv:
        typer.echo(desk.text(path, query | {"format": "csv"}), nl=False)
        return
    found = desk.get(path, query)
    figures = found["figures"]
    lines = [{"by": "all", "name": None, **figures}, *figures["groups"]]
    head = ["by", "", "satisfied", "n", "invited"]
    answer(found, Table(head, [_row(each) for each in lines]))


def _row(line: Mapping[str, Any]) -> list[str]:
    share = line["share"]
    return [
        line["by"],
        line["name"] or _NOTHING,
        _NOTHING if share is None else f"{100 * share:.0f} %",
        str(line["n"]),
        str(line["invited"]),
    ]


@surveys.command("publish")
def publish_command(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    survey: Survey,
    *,
    since: Since,
    until: Until,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Publish the results of a period that is over: they never change afterwards.

    Exit codes: 0 done, 2 an option is wrong, or you may not, 3 the desk is not
    reachable.
    """
    _send(_desk(ctx, api, token), survey, "publish", {"from": since, "to": until})


@surveys.command("open-action")
def open_action_command(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    survey: Survey,
    *,
    since: Annotated[
        str, typer.Option("--from", help="The first day of the published period.")
    ],
    owner: Annotated[str, typer.Option(help="Who is to do it.")],
    due: Annotated[str, typer.Option(help="The last day on which it is in time.")],
    task: Annotated[str, typer.Option(help="What is to be done.")],
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Open an action on published results, for somebody to do until a day.

    Exit codes: 0 done, 2 an option is wrong, or you may not, 3 the desk is not
    reachable.
    """
    body = {"from": since, "owner": owner, "due": due, "task": task}
    _send(_desk(ctx, api, token), survey, "actions", body)


@surveys.command("complete-action")
def complete_action_command(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    survey: Survey,
    action: Annotated[int, typer.Argument(metavar="ACTION")],
    *,
    note: Annotated[str | None, typer.Option(help="What was done.")] = None,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Record that an action is done.

    Exit codes: 0 done, 2 an option is wrong, or you may not, 3 the desk is not
    reachable.
    """
    body = {} if note is None else {"note": note}
    _send(_desk(ctx, api, token), survey, f"actions/{action}/done", body)


def _desk(ctx: typer.Context, url: str | None, token: str | None) -> Api:
    return Api(url, token, desk_of(ctx).home)


def _send(desk: Api, survey: str, path: str, body: Mapping[str, str]) -> None:
    done = desk.post(f"/v1/surveys/{quote(survey, safe='')}/{path}", body)
    row = [done["survey"], str(done["action"] or _NOTHING), done["outcome"]]
    answer(done, Table(["survey", "action", "outcome"], [row]))
