"""`permanence demo`: plays a day at a service desk in a few minutes, and asserts it.

Plays the programme on a new desk, with a progress bar, and reports which beat failed.
The table at the end shows the figures of the day, each asserted.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from logging import WARNING
from pathlib import Path
from typing import NamedTuple

import httpx
import jmespath
import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from cli.shell.output import answer, in_json
from cli.shell.table import Table
from demo.beats.surveys import satisfaction_of_june
from demo.cast import ENTER_AS, MONDAY, TUESDAY, Unseen, same, see, shown
from demo.desk import fill, fresh_home, running
from demo.inbox import receiving
from demo.patience import PatientTransport
from demo.programme import PROGRAMME, Beat, Cue
from demo.quiescence import connect
from demo.stage import Json, Stage
from shared.clock import clock_from, set_lever
from shared.eventlog.log import EventLog
from shared.security.sender import seal_keys_of
from shared.security.sign_in_links import NewLink, create_link, newest_token_of
from shared.vault.vault import read_master_keys
from standalone.credentials import vault_key_file
from standalone.folder import Account, linked, server_account


class Figure(NamedTuple):
    """A figure of the day: its name, its JMESPath in the metrics, its value.

    `wanted` is None for figures that are only shown.
    """

    name: str
    path: str
    wanted: int | None


SATISFACTION = (
    "satisfaction in June: invitations",
    "answers (n)",
    "of these, satisfied",
)
"""It stands before every other figure."""
TABLE: Sequence[Figure] = (
    Figure("open before", "balance.open_before", 2),
    Figure("recorded", "balance.recorded", 10),
    Figure("reopened after closure", "balance.reopened_after_closure", 1),
    Figure("closed", "balance.closed", 3),
    Figure("cancelled", "balance.cancelled", 1),
    Figure("merged", "balance.merged", 1),
    Figure("open at the end", "balance.open_at_end", 8),
    Figure("of which resolved, awaiting closure", "balance.awaiting_closure", 2),
    Figure("reported by users only", "reported.user_only", 8),
    Figure("by monitoring, then users", "reported.monitoring_then_user", 1),
    Figure("by monitoring only", "reported.monitoring_only", 1),
    Figure("resolved in the day", "resolved_within.standing", 4),
    Figure("within 1 h of working time", "resolved_within.within[0].working", 2),
    Figure("within 8 h of working time", "resolved_within.within[1].working", 3),
    Figure("TTR met", "sla.ttr.met", None),
    Figure("TTR breached", "sla.ttr.breached", 2),
    Figure("of these, the users'", "sla.ttr.breached_by.user", 1),
    Figure("vendors'", "sla.ttr.breached_by.vendor", 0),
    Figure("ours", "sla.ttr.breached_by.provider", 1),
    Figure("not attributed", "sla.ttr.breached_by.unattributed", 0),
    Figure("problems from incidents", "problems.from_incidents", 2),
    Figure("changes requested from incidents", "changes.requested", 2),
    Figure("changes planned", "changes.planned", 1),
)


async def figures_of_monday(stage: Stage) -> dict[str, int]:
    """Return the figures by name. Raises `Unseen` if one is wrong."""
    day = {"from": MONDAY.isoformat(), "to": TUESDAY.isoformat()}
    metrics = await stage.reads(
        "/v1/metrics", "sylvie", **day, zone="Europe/Paris", within=["1h", "8h"]
    )
    figures: Json = metrics["figures"]
    see("the balance is true", _adds_up(figures["balance"]), figures["balance"])
    found = {each.name: jmespath.search(each.path, figures) for each in TABLE}
    for each in TABLE:
        if each.wanted is not None:
            same(f"Monday, {each.name}", found[each.name], each.wanted)
    await _june(stage)
    satisfaction = await satisfaction_of_june(stage)
    return {**dict(zip(SATISFACTION, satisfaction, strict=True)), **found}


async def _june(stage: Stage) -> None:
    """Check that the figures of June add up, and its days to the month."""
    june = {"from": "2025-06-01", "to": "2025-07-01"}
    metrics = await stage.reads(
        "/v1/metrics", "sylvie", **june, zone="Europe/Paris", every="day"
    )
    balance = metrics["figures"]["balance"]
    wanted = {"open_before": 0, "recorded": 22, "closed": 13, "open_at_end": 8}
    same("June", {name: balance[name] for name in wanted}, wanted)
    for name in ("recorded", "closed", "cancelled", "merged"):
        days = sum(day["figures"]["balance"][name] for day in metrics["periods"])
        same(f"the days of June add up: {name}", days, balance[name])


def _adds_up(balance: Json) -> bool:
    comes = ("open_before", "recorded", "split", "unmerged", "reopened_after_closure")
    goes = ("closed", "cancelled", "redirected", "merged")
    came = sum(balance[name] for name in comes)
    went = sum(balance[name] for name in goes)
    return bool(came - went == balance["open_at_end"])


HTTP_SECONDS = 30.0
SECRET = "whsec_ZGVtby1zZWNyZXQtb2YtdmFsbW9udA=="  # noqa: S105 of a receiver on this machine, for a day


class Failed(Exception):
    """A beat whose result was not as expected; the message says which and what."""


def play(home: Path, *, stay: bool) -> None:
    """Play the whole day. Raises `Failed`, or `StartupError` if the desk fails."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(WARNING))
    console = Console(highlight=False, stderr=in_json.get())
    account = None if os.environ.get("DATABASE_URL") else server_account()
    with fresh_home(home, account) as folder:
        if where := linked(home):
            console.print(where, soft_wrap=True)
        try:
            asyncio.run(_play(folder, account, console, stay=stay))
        except KeyboardInterrupt:
            console.print("Stopped.")


async def _play(
    home: Path, account: Account | None, console: Console, *, stay: bool
) -> None:
    async with AsyncExitStack() as held:
        console.print("PostgreSQL, NATS and the four services start.")
        with console.status("a moment"):
            stage = await held.enter_async_context(open_stage(home, account))
        await play_beats(stage, console)
        figures = await figures_of_monday(stage)
        title = "Monday 30 June 2025, Europe/Paris"
        table = Table(("figure", "value"), list(figures.items()), title)
        answer({"figures": figures}, table)
        if not stay:
            console.print("All was seen. On a terminal the desk would stay up now.")
            return
        console.print("Enter it; each link lets one browser in:")
        for who, link in await asyncio.to_thread(entrances, stage):
            console.print(f"  {who}: {link}", soft_wrap=True)
        console.print("The desk stays up, its clock standing; Ctrl-C ends it.")
        await asyncio.Event().wait()


def entrances(stage: Stage) -> list[tuple[str, str]]:
    """Return for each person as whom one can enter a link that signs them in."""
    log = EventLog.open(
        stage.desk.owner, master=read_master_keys(vault_key_file(stage.desk.home))
    )
    keys, place = seal_keys_of(log), f"{stage.desk.api_url}/sign-in/link"
    try:
        with log.transaction() as cursor:
            found = []
            for id_, who in ENTER_AS.items():
                actor = f"person:{id_}"
                token = newest_token_of(cursor, actor, stage.now)
                link = NewLink(actor, "link", token_id=token)
                secret = create_link(cursor, keys, stage.now, link)
                found.append((who, f"{place}/{secret}"))
            return found
    finally:
        log.close()


@asynccontextmanager
async def open_stage(home: Path, account: Account | None) -> AsyncIterator[Stage]:
    """Run the desk of the demo, filled, at the first instant of the programme."""
    lever = home / "lever.json"
    first = PROGRAMME[0].cues[0].at
    set_lever(lever, first)
    async with receiving() as inbox:
        given = {
            "PERMANENCE_CLOCK_LEVER": str(lever),
            "PERMANENCE_LOG_FORMAT": "json",
            "PERMANENCE_SMTP_URL": f"smtp://127.0.0.1:{inbox.smtp_port}",
            "PERMANENCE_MAIL_FROM": "desk@permanence.example",
            "PERMANENCE_WEBHOOK_URL": f"http://127.0.0.1:{inbox.page_port}/pages",
            "PERMANENCE_WEBHOOK_SECRET": SECRET,
        }
        async with running(home, account, given) as desk:
            log = EventLog.open(
                desk.owner,
                master=read_master_keys(vault_key_file(home)),
                clock=clock_from(lever),
            )
            try:
                tokens = await asyncio.to_thread(fill, log, first)
            finally:
                log.close()
            await desk.start(desk.services)
            async with httpx.AsyncClient(
                base_url=desk.api_url,
                timeout=HTTP_SECONDS,
                transport=PatientTransport(),
            ) as web:
                connection = await connect(desk.owner)
                stage = Stage(desk, lever, first, connection, web, tokens, inbox)
                try:
                    yield stage
                finally:
                    await stage.connection.close()


async def play_beats(stage: Stage, console: Console) -> None:
    """Play the whole programme. Raises `Failed` if a check fails."""
    columns = (
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    cues = sorted(
        ((cue, beat) for beat in PROGRAMME for cue in beat.cues),
        key=lambda pair: (pair[0].at, pair[1].number),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("the day", total=len(cues))
        for cue, beat in cues:
            progress.update(bar, description=f"{shown(cue.at)} {beat.title}")
            await show_one(cue, beat, stage)
            progress.advance(bar)
            if cue is beat.cues[-1]:
                progress.console.print(_said(beat), soft_wrap=True)


async def show_one(cue: Cue, beat: Beat, stage: Stage) -> None:
    """Play one scene at its instant. Raises `Failed` if a check fails."""
    try:
        if cue.unwatched:
            stage.jump(cue.at)
        elif cue.at > stage.now:
            await stage.until(cue.at)
        await cue.play(stage)
    except Unseen as unseen:
        raise Failed(f"beat {beat.number}, {beat.title}: {unseen}") from unseen
    except httpx.HTTPError as error:
        raise Failed(f"beat {beat.number}, {beat.title}: {error!r}") from error
    except (LookupError, TypeError, ValueError) as error:
        # an answer of an unexpected form is as wrong as a wrong value
        raise Failed(
            f"beat {beat.number}, {beat.title}: an answer lacks {error!r}"
        ) from error


def _said(beat: Beat) -> str:
    first = shown(beat.cues[0].at)
    return f"[green]seen[/] {beat.number:>2} {first:<12} {beat.title}"
