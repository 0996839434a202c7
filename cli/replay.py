"""`permanence replay`: the state of an incident at an instant, and its events."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import JsonValue

from cli.shell.desk import HOME, Database, DeskAddress, Home, VaultKey
from cli.shell.output import AsJson, Exit, answer, bar, counted, refused
from cli.shell.parameters import Ref, demand_ref, instant_in
from cli.shell.table import Table
from services.projections.api.incidents.views import IncidentView
from services.projections.generations import AsOf
from services.projections.history.history import standings, whole
from services.projections.history.past import Past, past_of
from services.projections.log_queries import all_about, known_at
from services.projections.timeline.sentences import sentence
from services.projections.timeline.store import REQUESTED, messages_of, told_of
from shared.clock import real_clock
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions

app = typer.Typer()
At = Annotated[
    str | None,
    typer.Option(
        help="An instant with its zone, `2025-06-30T09:38+02:00`, or a day, which "
        "means its beginning in UTC; else now."
    ),
]


Last = Annotated[
    int | None, typer.Option(min=1, help="Only so many events, the last of them.")
]


@app.command("replay")
def replay_command(  # noqa: PLR0913, PLR0917 # each is an option
    ref: Ref,
    at: At = None,
    last: Last = None,
    database: Database = None,
    home: Home = HOME,
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Show the state of an incident at an instant, and the events that led to it.

    Without the vault's key, personal words are shown as forgotten. Exit codes: 0 shown,
    2 wrong arguments or no such incident then, 3 the database is unavailable.
    """
    demand_ref(ref)
    instant = instant_in(at)
    desk = DeskAddress(database, home)
    desk.url()
    with (
        desk.log(desk.master(vault_key)) as log,
        bar({"read": "reading the log"}) as report,
    ):
        report("read", 0, None)
        upto, past = _history(log, ref, instant)
        view = _view(log, past, instant or real_clock(), upto)
    if not past.entries and not past.unreadable:
        when = f" at {at}" if at else ""
        raise refused(f"there is no incident {ref}{when}", Exit.INVALID)
    if view is None:
        why = [each.text for each in past.unreadable] or ["run audit verify"]
        raise refused(f"{ref} was never opened: {'; '.join(why)}", Exit.INVALID)
    events = past.entries[-last:] if last else past.entries
    earlier = len(past.entries) - len(events)
    note = [f"({counted(earlier, 'event')} before these)"] if earlier else []
    note += [f"Not shown: {each.text}." for each in past.unreadable]
    state, story = _state(view, past.entries), _story(events, past.entries)
    answer(_plain(view, events), state, "", *note, story)


def _history(log: EventLog, ref: str, instant: datetime | None) -> tuple[AsOf, Past]:
    with log.transaction() as cursor:
        upto = known_at(cursor, instant)
        read = all_about(log, cursor, ref)
    return upto, past_of(each for each in read if each[0].position <= upto.position)


def _view(log: EventLog, past: Past, at: datetime, upto: AsOf) -> IncidentView | None:
    found = whole(past)
    if found is None:
        return None
    promises = standings(found.clocks, PolicyVersions(log), at)
    return IncidentView.of(found, promises, at, upto)


def _plain(view: IncidentView, past: Sequence[Entry]) -> dict[str, Any]:
    return {
        "incident": view.model_dump(mode="json"),
        "events": [
            {
                "position": entry.position,
                "stream": entry.stream,
                "version": entry.version,
                "type": entry.type,
                "recorded_at": entry.recorded_at.isoformat(),
                "event": _json(entry),
            }
            for entry in past
        ],
    }


def _state(view: IncidentView, past: Sequence[Entry]) -> Table:
    fields = view.model_dump(mode="json", exclude={"as_of", "unreadable"})
    return Table(
        ("field", "value"),
        [
            (name, _words(value))
            for name, value in fields.items()
            if value not in (None, [], {}, False)
        ],
        title=f"{view.ref} after {counted(len(past), 'event')}",
    )


def _words(value: JsonValue) -> str:
    match value:
        case dict():
            return ", ".join(
                f"{name} {_words(held)}"
                for name, held in value.items()
                if held not in (None, [], {})
            )
        case list():
            return "\n".join(map(_words, value))
        case True:
            return "yes"
        case _:
            return str(value)


def _story(events: Sequence[Entry], past: Sequence[Entry]) -> Table:
    messages = messages_of(_json(each) for each in past if each.type == REQUESTED)
    rows = [
        (
            entry.position,
            f"{entry.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            sentence(
                entry.type,
                entry.event.by,
                told_of(entry.type, _json(entry), messages),
            ),
        )
        for entry in events
    ]
    return Table(("position", "recorded, UTC", "what happened"), rows)


def _json(entry: Entry) -> dict[str, Any]:
    return entry.event.model_dump(mode="json", exclude_none=True)
