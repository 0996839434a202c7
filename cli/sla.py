"""`permanence sla`: explains promises; tries out a calendar and a target; moves clocks.

`explain` shows why the promises about an incident are due when they are. `due` and
`elapsed` answer one question per line. `move` and `moved` use the API of a running
desk, a page at a time; after an interruption the same command continues.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from pydantic import JsonValue

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import HOME, Database, DeskAddress, Home, Lever
from cli.shell.json_lines import answer_lines
from cli.shell.output import AsJson, Exit, answer, bar, counted, plain_text, refused
from cli.shell.parameters import Ref, demand_ref, instant_in
from cli.shell.table import Table
from services.projections.history.history import UNCOUNTABLE, hours_under, whole
from services.projections.history.past import Past, past_of
from services.projections.history.promise_account import sentences
from services.projections.history.shares import shares, turns, waits
from services.projections.log_queries import all_about, known_at
from services.sla_watcher.dry_run import due_answer, elapsed_answer
from shared.domain.sla import Clock, Consumption, consumed, explained
from shared.domain.working_time import Hours
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.i18n.catalog import Language

app = typer.Typer()
sla = typer.Typer(
    help="Promised times: try them out, have them explained, move them.",
    no_args_is_help=True,
)
app.add_typer(sla, name="sla")


@sla.command("due")
def due_command() -> None:
    """Compute when a target is used up: one JSON object per line in, one per line out.

    In: `{"calendar": {"timezone", "weekly_hours": {"mon": [["09:00", "17:00"]]},
    "holidays": ["2025-06-09", "12-25"], "open": ["2025-12-06 09:00-12:00"]}, "start",
    "target_seconds", "pauses": [{"from", "to"}]}`. Out: `{"due_at"}` in UTC, null if a
    pause without `to` comes first; `{"error"}` for a line that is wrong. Exit codes: 0
    all answered, 2 a line was wrong.
    """
    answer_lines(due_answer)


@sla.command("elapsed")
def elapsed_command() -> None:
    """Compute how much working time passes: one JSON object per line in, one out.

    In: `{"calendar", "start", "end", "pauses"}`, as for `due`. Out:
    `{"elapsed_seconds"}` of [start, end); `{"error"}` for a line that is wrong. Exit
    codes: 0 all answered, 2 a line was wrong.
    """
    answer_lines(elapsed_answer)


@sla.command("explain")
def explain_command(  # noqa: PLR0913, PLR0917 # each is an option
    ref: Ref,
    at: Annotated[
        str | None,
        typer.Option(
            help="As it was recorded then: an instant with its zone, or a day, which "
            "means its beginning in UTC."
        ),
    ] = None,
    lang: Annotated[Language, typer.Option(help="The language of the text.")] = "en",
    database: Database = None,
    home: Home = HOME,
    lever: Lever = None,
    as_json: AsJson = False,
) -> None:
    """Explain why each promise about an incident is due when it is, window by window.

    Also shows who used the time: by support level, and by whose turn it was.

    Exit codes: 0 explained, 2 wrong arguments or no such incident then, 3 the database
    is unavailable.
    """
    demand_ref(ref)
    instant = instant_in(at)
    with DeskAddress(database, home, lever).log_and_clock() as (log, clock):
        now = instant or clock()
        past = _past(log, ref, instant)
        found = whole(past)
        if found is None:
            when = f" at {at}" if at else ""
            raise refused(f"there is no incident {ref}{when}", Exit.INVALID)
        policies = PolicyVersions(log)
        items = list(_explanations(found.clocks, past.entries, policies, now, lang))
    text = "\n\n".join("\n".join(lines) for _, lines in items)
    answer(
        {
            "incident": ref,
            "items": [plain for plain, _ in items],
            "unreadable": [asdict(each) for each in past.unreadable],
        },
        *(f"Not used: {each.text}." for each in past.unreadable),
        text or f"Nothing was promised about {ref}: no contract covers it.",
    )


def _past(log: EventLog, ref: str, at: datetime | None) -> Past:
    with log.transaction() as cursor:
        upto = known_at(cursor, at)
        read = all_about(log, cursor, ref)
    return past_of(each for each in read if each[0].position <= upto.position)


def _explanations(
    clocks: Sequence[Clock],
    past: Sequence[Entry],
    policies: PolicyVersions,
    now: datetime,
    lang: Language,
) -> Iterator[tuple[dict[str, JsonValue], list[str]]]:
    """Yield each promise whose open hours can be counted, for programs and in words."""
    for clock in clocks:
        hours = hours_under(clock, policies)
        if hours is not None:
            with suppress(*UNCOUNTABLE):
                consumption = consumed(clock, hours, now, turns(past), waits(past))
                yield _explanation(clock, hours, consumption, lang)


def _explanation(
    clock: Clock, hours: Hours, consumption: Consumption, lang: Language
) -> tuple[dict[str, JsonValue], list[str]]:
    # slow to import, and tools call `due` and `elapsed`
    from services.projections.api.promises.explanations import WindowView
    from services.projections.api.promises.views import ConsumptionView

    account = explained(clock, hours)
    windows = [WindowView.of(window, account) for window in account.windows]
    plain: dict[str, JsonValue] = {
        "target": clock.name.target,
        "cycle": clock.name.cycle,
        "round": clock.name.round,
        "state": clock.state,
        "policy": clock.policy,
        "contract": clock.contract,
        "calendar": clock.calendar,
        "zone": account.zone,
        "target_seconds": clock.seconds,
        "original_seconds": clock.original_seconds,
        "agreed_seconds": clock.agreed_seconds,
        "due_at": _instant(clock.due_at),
        "original_due_at": _instant(account.original_due_at),
        "agreed_due_at": _instant(clock.agreed_due_at),
        "extensions": [
            {"ref": each.ref, "state": each.state, "answered_by": each.answered_by}
            for each in clock.extensions
        ],
        "seconds": account.seconds,
        "windows": [window.model_dump(mode="json") for window in windows],
        "consumed": ConsumptionView.of(consumption).model_dump(mode="json"),
    }
    lines = [*sentences(account, lang), *shares(consumption, account.zone, lang)]
    return plain, lines


def _instant(at: datetime | None) -> str | None:
    return plain_text(at) if at else None


SHOWN_MAX = 200
"""Promises that are shown; all are counted."""
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


@sla.command("move")
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
    desk = Api(api, token, home)
    filters = {"contract": contract, "service": service, "incident": incident}
    named = {name: value for name, value in filters.items() if value is not None}
    given: dict[str, object] = {"to": to, "limit": limit, **named}
    if preview:
        items = _pages(lambda page: desk.get("/v1/sla/preview-move", page), given)
        _answer_move({"items": items}, f"would be moved to version {to}")
        return
    if reason is None:
        sentence = "say why with --reason, or look first with --preview"
        raise refused(sentence, Exit.INVALID)
    name = operation or "-".join(["to", str(to), *named.values()])
    path = f"/v1/sla/moves/{name}"
    items = _pages(lambda page: desk.post(path, page), given | {"reason": reason})
    _answer_move({"items": items, "operation": name}, f"moved to version {to}")


@sla.command("moved")
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
    progress = Api(api, token, home).get(f"/v1/sla/moves/{operation}")
    answer(
        progress,
        f"{operation}: {counted(progress['moved'], 'incident')} moved to version "
        f"{progress['to']}, {progress['left']} left; begun by {progress['by']}: "
        f"{progress['reason']}",
    )


def _pages(
    request: Callable[[Mapping[str, object]], Any], given: Mapping[str, object]
) -> list[dict[str, Any]]:
    """Return the items of all pages."""
    items: list[dict[str, Any]] = []
    after: dict[str, object] = {}
    with bar({"moved": "incidents"}) as report:
        while True:
            page = request({**given, **after})
            items += page["items"]
            report("moved", len(items), None)
            if page["next_after"] is None:
                return items
            after = {"after": page["next_after"]}


def _answer_move(plain: Mapping[str, Any], done: str) -> None:
    items = plain["items"]
    promises = [(each["incident"], p) for each in items for p in each["promises"]]
    late = sum(promise["breached_at_once"] for _, promise in promises)
    rows = [
        (
            incident,
            promise["target"],
            promise["change"],
            _change(_hours(promise["was_seconds"]), _hours(promise["seconds"])),
            _change(promise["was_due_at"] or "", promise["due_at"] or ""),
            "broken" if promise["breached_at_once"] else "",
        )
        for incident, promise in promises[:SHOWN_MAX]
    ]
    table = Table(("incident", "promise", "", "target", "due", "at once"), rows)
    number = counted(len(items), "incident")
    answer(plain, table, f"{number} {done}; {counted(late, 'promise')} broken at once.")


def _change(before: str, after: str) -> str:
    return after if before == after else f"{before or '–'} → {after or '–'}"


def _hours(seconds: int | None) -> str:
    if seconds is None:
        return ""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}h{rest // 60:02}"
