"""A desk that takes files: intake on a port, and the API before it, in threads."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import httpx
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.app import rooms
from services.intake.assembly import Parts, WorkerConfig, assemble
from services.intake.attachments.rules import FileLimits
from services.intake.commands.pending_command import PendingCommand
from services.intake.directory import store as directory_store
from services.intake.telemetry import CommitObserver
from shared.clock import real_clock
from shared.domain.commands.incident import Open
from shared.domain.identifiers import incident_stream
from shared.eventlog.log import EventLog
from shared.http.error_responses import complete
from shared.http.serve import serve
from shared.messaging.commands import CommandRequest, Scope
from standalone.nats import Bus
from tests.support.desks.api import MASTER, Api, serving
from tests.support.desks.mail import COSTA, LEROY, apply_mailbox
from tests.support.patience import SECONDS
from tests.support.servers.in_thread import running
from tests.support.servers.servers import Database

LIMITS = FileLimits(bytes_max=200_000, day_bytes_max=4_000_000)
REPORTED = {
    "title": "The portal is blank",
    "service": "mail",
    "reporter": "costa",
    "channel": "phone",
    "description": "Since 7:50 it shows nothing.",
}


@dataclass
class FileDesk:
    """The API, the address of intake, and the log as intake has it."""

    api: Api
    intake_url: str
    log: EventLog
    parts: Parts
    done: Callable[[Any], Any]
    """Runs a coroutine where intake works, and returns its result."""
    opened: int = field(default=0)

    def incident(self, **changes: object) -> str:
        """Open an incident that M. Costa reported by telephone."""
        body = Open.model_validate({**REPORTED, **changes})
        request = CommandRequest[Any](actor="person:paul", scopes=("agent",), body=body)
        answer = self.done(self.parts.commands.submit(PendingCommand.of(request)))
        return str(answer.incident)

    def does(self, ref: str, body: Any, *scopes: Scope, by: str = "person:paul") -> Any:
        """Let somebody act on an incident."""
        request = CommandRequest[Any](
            incident=ref, actor=by, scopes=scopes or ("agent",), body=body
        )
        return self.done(self.parts.commands.submit(PendingCommand.of(request)))

    def attach(
        self,
        ref: str,
        content: bytes,
        name: str = "screen.png",
        who: str | None = "agent",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Attach a file by the API, as the plain body."""
        return self.api.call(
            "POST",
            f"/v1/incidents/{ref}/attachments",
            who,
            headers,
            params={"name": name},
            content=content,
        )

    def attached(self, ref: str, content: bytes, name: str = "screen.png") -> str:
        """Attach a file that is to be accepted; return its id."""
        answer = self.attach(ref, content, name)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["attachment"])

    def files(self, ref: str, who: str = "agent") -> list[dict[str, Any]]:
        """Return the list of the files of an incident."""
        items: list[dict[str, Any]] = self.api.get(
            f"/v1/incidents/{ref}/attachments", who
        )["items"]
        return items

    def get(
        self, ref: str, attachment: str, what: str = "", who: str | None = "agent"
    ) -> httpx.Response:
        """Download a file, or ask for its `/preview`."""
        return self.api.call(
            "GET", f"/v1/incidents/{ref}/attachments/{attachment}{what}", who
        )

    def history(self, ref: str) -> list[Any]:
        """Return the events of an incident."""
        with self.log.transaction() as cursor:
            entries = self.log.histories(cursor, [incident_stream(ref)])
        return [entry.event for entry in entries]

    def asks(self, query: LiteralString, *given: object) -> list[tuple[Any, ...]]:
        """Return what the database says to its owner."""
        with self.api.log.transaction() as cursor:
            return cursor.execute(query, given).fetchall()

    def changes(self, query: LiteralString, *given: object) -> int:
        """Change something in the database, as its owner; return the rows."""
        with self.api.log.transaction() as cursor:
            return cursor.execute(query, given).rowcount


@contextmanager
def taking_files(database: Database, bus: Bus, folder: Path) -> Iterator[FileDesk]:
    """Run intake on a port, and the API before it; two people are in the directory."""
    with (
        closing(EventLog.open(database.owner_dsn, pool_size=2)) as owner,
        closing(EventLog.open(database.dsn("desk_intake"), master=MASTER)) as log,
        ThreadPoolExecutor(6) as executor,
    ):
        apply_mailbox(owner)
        with owner.transaction() as cursor:
            now = datetime.now(UTC)
            directory_store.import_people(cursor, [COSTA, LEROY], now)
        held: list[tuple[Parts, asyncio.AbstractEventLoop]] = []

        async def intake(stop: asyncio.Event, listening: Callable[[int], None]) -> None:
            noting = CommitObserver(CollectorRegistry(), lambda: None)
            config = WorkerConfig(files=LIMITS)
            parts = assemble(log, real_clock, executor, noting, config)
            await asyncio.to_thread(parts.in_force.look)
            held.append((parts, asyncio.get_running_loop()))
            app = Router(routes=complete(rooms(parts).routes))
            working = [
                asyncio.create_task(each)
                for each in (parts.signals.run(), parts.commands.run())
            ]
            await serve(app, "127.0.0.1", 0, stop, listening=listening)
            for task in working:
                task.cancel()

        with running(intake) as port:
            url = f"http://127.0.0.1:{port}"
            parts, loop = held[0]

            def done(work: Any) -> Any:
                return asyncio.run_coroutine_threadsafe(work, loop).result(SECONDS)

            with serving(database, bus, folder, intake_url=url) as api:
                yield FileDesk(api, url, log, parts, done)
