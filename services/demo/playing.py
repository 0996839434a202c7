"""Plays the programme on a fresh desk, with a bar; says where it failed, if it did."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from services.demo.filling import fill
from services.demo.home import fresh_home
from services.demo.letters import receiving
from services.demo.programme import PROGRAMME, Beat, Cue
from services.demo.running import running
from services.demo.seeing import Unseen
from services.demo.settling import connect
from services.demo.stage import Stage
from services.demo.table import table
from services.demo.times import shown
from shared.clock import clock_from, set_lever
from shared.eventlog.log import EventLog
from shared.vault.vault import read_master_keys
from standalone.credentials import vault_key_file
from standalone.folder import Account, linked, server_account

HTTP_SECONDS = 30.0
SECRET = "whsec_ZGVtby1zZWNyZXQtb2YtdmFsbW9udA=="  # noqa: S105 of a receiver on this machine, for a day


class Failed(Exception):
    """A beat that did not show what it must; the sentence says which and what."""


def play(home: Path, console: Console, *, stay: bool) -> None:
    """Play the whole day. Raises `Failed`, or `Trouble` where the desk does not run."""
    account = None if os.environ.get("DATABASE_URL") else server_account()
    with fresh_home(home, account) as folder:
        if where := linked(home):
            console.print(where, soft_wrap=True)
        asyncio.run(_play(folder, account, console, stay=stay))


async def _play(
    home: Path, account: Account | None, console: Console, *, stay: bool
) -> None:
    async with _stage(home, account) as stage:
        await _beats(stage, console)
        console.print(await table(stage))
        if not stay:
            console.print("All was seen. On a terminal the desk would stay up now.")
            return
        console.print(f"Look at it: {stage.desk.api_url}/")
        console.print("Token of Sylvie, the manager:", stage.tokens.people["sylvie"])
        console.print("The desk stays up, its clock standing; Ctrl-C ends it.")
        await asyncio.Event().wait()


@asynccontextmanager
async def _stage(home: Path, account: Account | None) -> AsyncIterator[Stage]:
    lever = home / "lever.json"
    first = PROGRAMME[0].cues[0].at
    set_lever(lever, first)
    async with receiving() as letters:
        given = {
            "PERMANENCE_CLOCK_LEVER": str(lever),
            "PERMANENCE_LOG_FORMAT": "json",
            "PERMANENCE_SMTP_URL": f"smtp://127.0.0.1:{letters.smtp_port}",
            "PERMANENCE_MAIL_FROM": "desk@permanence.example",
            "PERMANENCE_WEBHOOK_URL": f"http://127.0.0.1:{letters.page_port}/pages",
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
                base_url=desk.api_url, timeout=HTTP_SECONDS
            ) as web:
                connection = await connect(desk.owner)
                stage = Stage(desk, lever, first, connection, web, tokens, letters)
                try:
                    yield stage
                finally:
                    await stage.connection.close()


async def _beats(stage: Stage, console: Console) -> None:
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
    """Play one scene at its instant. Raises `Failed` where something is not so."""
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
        # An answer of another form than the play expects: as unseen as a wrong one.
        raise Failed(
            f"beat {beat.number}, {beat.title}: an answer lacks {error!r}"
        ) from error


def _said(beat: Beat) -> str:
    rest = f" [yellow](to come: {beat.to_come})[/]" if beat.to_come else ""
    first = shown(beat.cues[0].at)
    return f"[green]seen[/] {beat.number:>2} {first:<12} {beat.title}{rest}"
