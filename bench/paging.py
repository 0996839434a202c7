"""How late pages leave while many escalations are live: real services and receiver.

`python -m bench.paging [--live N] [--pages N] [--window N] [--frozen] [--json]`. First
escalation reads incidents whose page is due in weeks, recorded as fast as possible;
then others, recorded at random instants of a window, whose pages are due 41 seconds
later. The delay is from the instant at which a page is due until the receiver of pages
has the request. Each page goes by mail as well. With `--window 0` all are due at once.

With `--frozen` two processes of escalation run, and the one that sends is frozen when
the first page is due: its lease has to run out before the other sends.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic, sleep
from typing import Annotated, NamedTuple

import typer

from bench.arming import far, opened, record
from bench.desk import PROMISING
from bench.drained import wait_until_drained
from bench.figure import Figure, percentile, show
from demo.desk import verify_addresses
from shared.domain.events.escalation import EscalationPaged
from shared.eventlog.log import PAGE_MAX, EventLog
from tests.support.desks.running import MASTER, SERVICES, TWIN, Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.mail.smtp_server import open_inbox
from tests.support.patience import until
from tests.support.servers.webhook_receiver import Postbox, open_postbox

LIVE, PAGES, WINDOW_SECONDS = 10_000, 500, 20
DRAIN_SECONDS = 1_800
PAGED_SECONDS = 41
"""When incidents of `paged` in `bench/permanence.yaml` are paged, after the report."""
PAGED = "amina"
TOGETHER_SECONDS = 0.05
"""Incidents of so short a time are recorded in one transaction."""
LAST_SECONDS = 60
"""How long the last page may take before the run is void."""
CYCLE_MS = 5_000
AIM_MS = {False: 1_000, True: 10_000}
"""By whether the sender is frozen."""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 # of the receiver here
SECOND = timedelta(seconds=1)
_PERSON = """
INSERT INTO directory.people (id, name, email, language, zone, updated_at)
VALUES (%s, 'Amina', %s, 'en', 'UTC', now())
"""


class Load(NamedTuple):
    """Escalations that wait, pages that are timed, and the seconds of their window."""

    live: int
    pages: int
    window: int


def main(
    live: Annotated[int, typer.Option(help="Escalations that wait.")] = LIVE,
    pages: Annotated[int, typer.Option(help="Pages that are timed.")] = PAGES,
    window: Annotated[
        int, typer.Option(help="Seconds they are spread over.")
    ] = WINDOW_SECONDS,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Freeze the sender meanwhile.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    load = Load(live, pages, window)
    with (
        reachable_folder(on_disk=True) as folder,
        open_postbox() as postbox,
        open_inbox() as inbox,
    ):
        receivers = {
            "PERMANENCE_WEBHOOK_URL": postbox.url,
            "PERMANENCE_WEBHOOK_SECRET": SECRET,
            "PERMANENCE_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}",
            "PERMANENCE_MAIL_FROM": "desk@valmont.example",
        }
        setting = replace(PROMISING, environment=receivers)
        start = (*SERVICES, f"escalation{TWIN}") if frozen else SERVICES
        with (
            running_desk(folder, durable=True, start=start, setting=setting) as desk,
            closing(desk.log()) as owner,
            closing(_intake(desk)) as log,
        ):
            _give_address(owner)
            record(log, far(1, live, datetime.now(UTC), "quiet"))
            wait_until_drained(owner, DRAIN_SECONDS)
            late = _page(desk, log, postbox, load, frozen=frozen)
    how = f"{live:,} live, {pages:,} pages within {window} s"
    how += ", the sender frozen" if frozen else ""
    show("paging", how, list(_figures(late, frozen=frozen)), as_json=as_json)


def _figures(late: list[float], *, frozen: bool) -> Iterator[Figure]:
    for percent in (50, 99, 100):
        yield Figure(
            f"a page late, {f'p{percent}' if percent < 100 else 'most'}",
            percentile(late, percent),
            "ms",
            min(late),
            max(late),
            CYCLE_MS,
            "GoAlert looks every 5 s",
            note=f"of {len(late):,}; aimed at {AIM_MS[frozen]:,} ms as p99",
        )


def _give_address(log: EventLog) -> None:
    """Let the person who is paged be reached by mail."""
    with log.transaction() as cursor:
        cursor.execute(_PERSON, (PAGED, f"{PAGED}@valmont.example"))
        verify_addresses(log, cursor, [PAGED], datetime.now(UTC))


def _intake(desk: Desk) -> EventLog:
    return EventLog.open(desk.database.dsn("desk_intake"), master=MASTER)


def _page(
    desk: Desk, log: EventLog, postbox: Postbox, load: Load, *, frozen: bool
) -> list[float]:
    """Return how many ms late each page was."""
    before, begun = log.head().position, datetime.now(UTC)
    _report(log, load)
    if frozen:
        due = begun + PAGED_SECONDS * SECOND
        until(lambda: datetime.now(UTC) > due, "the first is due", PAGED_SECONDS + 10)
        desk.services[desk.leader("escalation", "outbox")].freeze()
    seconds = PAGED_SECONDS + load.window + LAST_SECONDS
    until(
        # Requests first: to parse them all again would keep the receiver from its work.
        lambda: (
            len(postbox.requests) >= load.pages
            and len(_arrivals(postbox)) == load.pages
        ),
        "all pages arrive",
        seconds,
    )
    arrived, due_at = _arrivals(postbox), _due(log, before)
    assert due_at.keys() == arrived.keys(), "a page for another incident: void"
    return [1_000 * (arrived[ref] - due_at[ref].timestamp()) for ref in due_at]


def _report(log: EventLog, load: Load) -> None:
    """Record incidents at random instants of the window, each at its own."""
    random, begun = Random(1), monotonic()
    left = sorted(random.random() * load.window for _ in range(load.pages))
    number = load.live
    while left:
        sleep(max(0.0, left[0] - (monotonic() - begun)))
        due = [at for at in left if at <= monotonic() - begun + TOGETHER_SECONDS]
        now = datetime.now(UTC)
        numbers = range(number + 1, number + 1 + len(due))
        record(log, (opened(n, "paged", now, now) for n in numbers))
        left, number = left[len(due) :], number + len(due)


def _arrivals(postbox: Postbox) -> dict[str, float]:
    """Return when the receiver first had the page for an incident."""
    found: dict[str, float] = {}
    for request in list(postbox.requests):
        payload = json.loads(request.body)
        if payload["kind"] == "page":
            found.setdefault(payload["incident"], request.at)
    return found


def _due(log: EventLog, position: int) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    while entries := log.since(position, PAGE_MAX):
        for entry in entries:
            if isinstance(entry.event, EscalationPaged):
                found[entry.event.incident] = entry.event.due_at
        position = entries[-1].position
    return found


if __name__ == "__main__":
    typer.run(main)
