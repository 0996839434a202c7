"""`permanence quarantine`: signals and mails that were set aside; retry or discard.

It asks the read API of a running desk, as every other client does.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import HOME, Home
from cli.shell.output import AsJson, Exit, answer, bar, counted, refused
from cli.shell.parameters import Since, Until
from cli.shell.table import Table
from shared.domain.commands.quarantine import LISTED_MAX, TRIED_MAX

_ELEMENTS, _MAILS = "/v1/quarantine", "/v1/letters"
LISTED = 100
MAILS_MAX = 100
"""Mails of a page."""

Number = Annotated[int, typer.Argument(metavar="ID", help="Its number in the list.")]
Letters = Annotated[
    bool,
    typer.Option("--letters", help="The letters of people that were set aside."),
]
OneOf = Annotated[
    str | None,
    typer.Argument(metavar="ID", help="Only this one, or this letter; else all."),
]
Where = Annotated[str | None, typer.Option(help="Of a letter alone: where it belongs.")]
OfSource = Annotated[str | None, typer.Option(help="Only of this source.")]
OfAdapter = Annotated[str | None, typer.Option(help="Only of this adapter.")]
WithReason = Annotated[
    str | None, typer.Option(help="Only with these words in the reason.")
]

app = typer.Typer()
quarantine = typer.Typer(
    help="What could not be taken: list it, try it again, or discard it.\n\n"
    "Exit codes: 0 done, 1 some still wait (retry only), 2 not understood or not "
    "allowed, 3 the desk is away.",
    no_args_is_help=True,
)
app.add_typer(quarantine, name="quarantine")


@quarantine.callback()
def remember(
    ctx: typer.Context, api: ApiUrl = None, token: Token = None, home: Home = HOME
) -> None:
    """Remember which desk is meant, and who asks."""
    ctx.obj = Api(api, token, home)


@quarantine.command("list")
def list_quarantined(  # noqa: PLR0913 # each is a filter
    ctx: typer.Context,
    *,
    source: OfSource = None,
    adapter: OfAdapter = None,
    reason: WithReason = None,
    since: Since = None,
    until: Until = None,
    state: Annotated[
        str, typer.Option(help="`waiting`, `released`, `discarded` or `expired`.")
    ] = "waiting",
    limit: Annotated[int, typer.Option(min=1, max=LISTED_MAX)] = LISTED,
    letters: Letters = False,
    as_json: AsJson = False,
) -> None:
    """List what waits, the oldest first, and why it could not be mapped.

    With --letters, list instead the mails that were set aside, newest first.
    """
    api = _api(ctx)
    if letters:
        _list_mails(api, limit)
        return
    filters = _given(
        source=source,
        adapter=adapter,
        reason=reason,
        since=since,
        until=until,
        state=state,
        limit=limit,
    )
    _list_elements(api, filters)


def _list_elements(api: Api, filters: Mapping[str, object]) -> None:
    page = api.get(_ELEMENTS, filters)
    names = ("id", "source", "adapter", "received_at", "tries", "reason")
    table = Table(
        ("id", "source", "adapter", "received", "tries", "reason"),
        _rows(page["items"], names),
        empty="No elements found.",
    )
    more = ["and more: narrow it, or ask for more with --limit"]
    answer(page["items"], table, *more * bool(page["next_cursor"]))


def _list_mails(api: Api, limit: int) -> None:
    """List mails that were set aside, newest first, and why."""
    query = {"set_aside": True, "limit": min(limit, MAILS_MAX)}
    items = api.get(_MAILS, query)["items"]
    names = ("letter", "source", "received_at", "verdict", "sender", "reason")
    columns = ("letter", "source", "received", "verdict", "sender", "reason")
    table = Table(columns, _rows(items, names), empty="No mails found.")
    answer(items, table)


def _rows(items: list[Any], names: tuple[str, ...]) -> list[list[object]]:
    return [[each[name] for name in names] for each in items]


@quarantine.command()
def show(ctx: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Show an element with its history and, for administrators, its raw body."""
    element = _api(ctx).get(f"{_ELEMENTS}/{number}")
    fields = (
        "id",
        "source",
        "adapter",
        "received_at",
        "element",
        "state",
        "tries",
        "reason",
    )
    facts = Table(("field", "value"), [(name, element[name]) for name in fields])
    names = ("at", "by", "what", "status", "incident", "reason")
    journal = Table(names, _rows(element["journal"], names))
    body = element["body"] or "(the body is shown to administrators only)"
    answer(element, facts, *([journal] if element["journal"] else []), "", body)


@quarantine.command()
def retry(  # noqa: PLR0913 # each is a filter
    ctx: typer.Context,
    number: OneOf = None,
    *,
    incident: Where = None,
    source: OfSource = None,
    adapter: OfAdapter = None,
    reason: WithReason = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Read matching elements again, and accept what can be mapped now.

    A mail is retried alone, by its id: somebody has looked at it.
    """
    api = _api(ctx)
    if number is None:
        filters = _given(
            source=source, adapter=adapter, reason=reason, since=since, until=until
        )
        _answer_retries(_retry_all(api, filters))
    elif _is_mail(number):
        _retry_mail(api, number, incident)
    else:
        _answer_retries([api.post(f"{_ELEMENTS}/{number}/retry", {})])


def _is_mail(number: str) -> bool:
    """Tell whether this is the id of a mail, not the number of an element."""
    if number.isascii() and number.isdigit():
        return False
    try:
        UUID(number)
    except ValueError as error:
        sentence = "write a number of the list, or the id of a letter"
        raise refused(sentence, Exit.INVALID) from error
    return True


def _retry_mail(api: Api, mail: str, incident: str | None) -> None:
    """Accept a mail after all, and print its outcome."""
    body = {"incident": incident} if incident else {}
    outcome = api.post(f"{_MAILS}/{mail}/retry", body)
    words = [outcome["verdict"], outcome["incident"] or outcome["note"] or ""]
    answer(outcome, " ".join(filter(None, words)))


@quarantine.command()
def discard(
    ctx: typer.Context,
    number: Number,
    reason: Annotated[str, typer.Option(help="Why, for who reads the journal later.")],
    as_json: AsJson = False,
) -> None:
    """Take an element off the list for good. It is kept, with who did it and why."""
    row = _api(ctx).post(f"{_ELEMENTS}/{number}/discard", {"reason": reason})
    answer(row, f"{number} is discarded; it stays in the journal.")


def _answer_retries(items: list[Any]) -> None:
    """Print the outcome of each; the exit code says whether any still waits."""
    waiting = [each for each in items if each["state"] == "waiting"]
    released = sum(each["state"] == "released" for each in items)
    rows = [(each["id"], each["state"], _outcome(each)) for each in items]
    tables = [Table(("id", "state", "outcome"), rows)] if items else []
    sentence = f"{counted(released, 'element')} released, {len(waiting)} still waiting."
    plain = {"released": released, "waiting": len(waiting), "items": items}
    answer(plain, *tables, sentence)
    if waiting:
        raise typer.Exit(Exit.DIFFERS)


def _retry_all(api: Api, filters: Mapping[str, object]) -> list[Any]:
    """Retry in rounds until every element was tried."""
    items: list[Any] = []
    cursor: str | None = "0"
    with bar({"tried": "tried again"}) as report:
        while cursor is not None:
            body = {**filters, "cursor": int(cursor), "limit": TRIED_MAX}
            page = api.post(f"{_ELEMENTS}/retry", body)
            items += page["items"]
            cursor = page["next_cursor"]
            report("tried", len(items), len(items) + (TRIED_MAX if cursor else 0))
    return items


def _outcome(tried: Mapping[str, Any]) -> str:
    if tried["reason"]:
        return str(tried["reason"])
    parts = (
        " ".join(str(each[name]) for name in ("status", "incident") if each[name])
        for each in tried["results"]
    )
    return ", ".join(parts) or "nothing was done"


def _given(**filters: object) -> dict[str, object]:
    return {name: value for name, value in filters.items() if value is not None}


def _api(ctx: typer.Context) -> Api:
    return ctx.find_object(Api) or Api(None, None, HOME)
