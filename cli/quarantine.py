"""`permanence quarantine`: signals and mails that were set aside; retry or discard.

It asks the read API of a running desk, as every other client does.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.text import Text

from cli.shell.api_client import Api, ApiUrl, Token, api_of
from cli.shell.desk import HOME, Home
from cli.shell.output import AsJson, Exit, answer, bar, counted, table_of
from shared.domain.commands.quarantine import LISTED_MAX, TRIED_MAX

_PATH = "/v1/letters"
PAGE_MAX = 100


def is_letter(number: str) -> bool:
    """Tell whether this is the id of a mail, not the number of a signal."""
    if number.isascii() and number.isdigit():
        return False
    try:
        UUID(number)
    except ValueError as error:
        sentence = "write a number of the list, or the id of a letter"
        raise typer.BadParameter(sentence) from error
    return True


def list_letters(api: Api, limit: int, *, as_json: bool) -> None:
    """List mails that were set aside, newest first, and why."""
    asked = {"set_aside": True, "limit": min(limit, PAGE_MAX)}
    page = api.get(_PATH, asked, as_json=as_json)
    table = table_of("letter", "source", "received", "verdict", "sender", "reason")
    for each in page["items"]:
        facts = (each[name] for name in ("letter", "source", "received_at", "verdict"))
        said = (Text(str(each[name] or "")) for name in ("sender", "reason"))
        table.add_row(*map(str, facts), *said)
    answer(as_json, page, table if page["items"] else "nothing")


def retry_letter(api: Api, letter: str, incident: str | None, *, as_json: bool) -> None:
    """Accept a mail after all, and print its outcome."""
    body = {"incident": incident} if incident else {}
    said = api.post(f"{_PATH}/{letter}/retry", body, as_json=as_json)
    words = [said["verdict"], said["incident"] or said["note"] or ""]
    answer(as_json, said, " ".join(filter(None, words)))


_CLI_QUARANTINE_PATH = "/v1/quarantine"
LISTED = 100

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
Since = Annotated[
    str | None, typer.Option(help="Received since: `2025-06-30T09:00+02:00`.")
]
Until = Annotated[str | None, typer.Option(help="Received before, likewise.")]

quarantine = typer.Typer(
    name="quarantine",
    help="What could not be taken: list it, try it again, or discard it. Exit codes: "
    "0 done, 1 some still wait (retry only), 2 not understood or not allowed, 3 the "
    "desk is away.",
    no_args_is_help=True,
)


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
    if letters:
        list_letters(api_of(ctx), limit, as_json=as_json)
        return
    asked = _given(
        source=source,
        adapter=adapter,
        reason=reason,
        since=since,
        until=until,
        state=state,
        limit=limit,
    )
    page = api_of(ctx).get(_CLI_QUARANTINE_PATH, asked, as_json=as_json)
    table = table_of("id", "source", "adapter", "received", "tries", "reason")
    for each in page["items"]:
        words = (each[name] for name in ("id", "source", "adapter", "received_at"))
        table.add_row(*map(str, words), str(each["tries"]), Text(each["reason"]))
    more = ["and more: narrow it, or ask for more with --limit"]
    told = [table, *more * bool(page["next_cursor"])] if page["items"] else ["nothing"]
    answer(as_json, page, *told)


@quarantine.command()
def show(ctx: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Show an element with its history and, for administrators, its raw body."""
    whole = api_of(ctx).get(f"{_CLI_QUARANTINE_PATH}/{number}", {}, as_json=as_json)
    facts = table_of("field", "value")
    for name in ("id", "source", "adapter", "received_at", "element", "state", "tries"):
        facts.add_row(name, str(whole[name]))
    facts.add_row("reason", Text(whole["reason"]))
    done = table_of("at", "by", "what", "status", "incident", "reason")
    for each in whole["journal"]:
        names = ("at", "by", "what", "status", "incident", "reason")
        done.add_row(*(Text(str(each[name] or "")) for name in names))
    body = whole["body"] or "(the body is shown to administrators only)"
    answer(as_json, whole, facts, *([done] if whole["journal"] else []), "", body)


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
    api = api_of(ctx)
    if number is not None and is_letter(number):
        retry_letter(api, number, incident, as_json=as_json)
        return
    if number is not None:
        items = [
            api.post(f"{_CLI_QUARANTINE_PATH}/{number}/retry", {}, as_json=as_json)
        ]
    else:
        asked = _given(
            source=source, adapter=adapter, reason=reason, since=since, until=until
        )
        items = _all(api, asked, as_json=as_json)
    _tell(items, as_json=as_json)


@quarantine.command()
def discard(
    ctx: typer.Context,
    number: Number,
    reason: Annotated[str, typer.Option(help="Why, for who reads the journal later.")],
    as_json: AsJson = False,
) -> None:
    """Take an element off the list for good. It is kept, with who did it and why."""
    path = f"{_CLI_QUARANTINE_PATH}/{number}/discard"
    row = api_of(ctx).post(path, {"reason": reason}, as_json=as_json)
    answer(as_json, row, f"{number} is discarded; it stays in the journal.")


def _tell(items: list[Any], *, as_json: bool) -> None:
    """Print the outcome of each; the exit code says whether any still waits."""
    waiting = [each for each in items if each["state"] == "waiting"]
    released = sum(each["state"] == "released" for each in items)
    table = table_of("id", "state", "outcome")
    for each in items:
        table.add_row(str(each["id"]), each["state"], Text(_became(each)))
    said = f"{counted(released, 'element')} released, {len(waiting)} still waiting."
    plain = {"released": released, "waiting": len(waiting), "items": items}
    answer(as_json, plain, table, said) if items else answer(as_json, plain, said)
    if waiting:
        raise typer.Exit(Exit.DIFFERS)


def _all(api: Api, asked: Mapping[str, object], *, as_json: bool) -> list[Any]:
    """Retry in rounds until every element was tried."""
    items: list[Any] = []
    cursor: str | None = "0"
    with bar({"tried": "tried again"}, hidden=as_json) as told:
        while cursor is not None:
            round_of = {**asked, "cursor": int(cursor), "limit": TRIED_MAX}
            page = api.post(f"{_CLI_QUARANTINE_PATH}/retry", round_of, as_json=as_json)
            items += page["items"]
            cursor = page["next_cursor"]
            more = TRIED_MAX if cursor else 0
            told("tried", len(items), len(items) + more)
    return items


def _became(tried: Mapping[str, Any]) -> str:
    if tried["reason"]:
        return str(tried["reason"])
    parts = (
        " ".join(str(each[name]) for name in ("status", "incident") if each[name])
        for each in tried["results"]
    )
    return ", ".join(parts) or "nothing was done"


def _given(**asked: object) -> dict[str, object]:
    return {name: value for name, value in asked.items() if value is not None}
