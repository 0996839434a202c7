"""Projections in a thread of the test, on real servers, spoken to over real HTTP."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.projections.app import run
from shared.eventlog.log import EventLog
from shared.messaging.commands import Scope
from shared.security.access import create
from shared.settings import ProjectionsSettings
from shared.vault.master_keys import text_of
from standalone.nats import Bus
from tests.support import key_ring
from tests.support.patience import SECONDS, answered, until
from tests.support.read_models import through, until_applied
from tests.support.servers.in_thread import running
from tests.support.servers.servers import Database
from tests.support.strategies.interleaved_streams import AboutIncident, stream_of

MASTER = key_ring.MASTER
NOWHERE = "http://127.0.0.1:9"
SCOPES: dict[str, tuple[str, Sequence[Scope]]] = {
    "source": ("source:prom", ["source"]),
    "agent": ("person:paul", ["agent"]),
    "other_agent": ("person:nadia", ["agent"]),
    "manager": ("person:sylvie", ["manager"]),
    "auditor": ("person:ida", ["auditor"]),
    "admin": ("person:root", ["admin"]),
}


@dataclass(frozen=True)
class Api:
    """A running API and the log it tells of."""

    url: str
    database: Database
    log: EventLog
    tokens: dict[str, str]

    def call(
        self,
        method: str,
        path: str,
        who: str | None = "agent",
        headers: Mapping[str, str] | None = None,
        **given: Any,  # as httpx takes it
    ) -> httpx.Response:
        """Send a request as one of `SCOPES`, as nobody for None.

        A GET is sent once the read models have applied what is in the log.
        """
        if method == "GET":
            until_applied(through(self.log))
        return self.at_once(method, path, who, headers, **given)

    def at_once(
        self,
        method: str,
        path: str,
        who: str | None = "agent",
        headers: Mapping[str, str] | None = None,
        **given: Any,  # as httpx takes it
    ) -> httpx.Response:
        """Send a request likewise, however far the read models are."""
        sent = dict(headers or {})
        if who is not None:
            sent["Authorization"] = f"Bearer {self.tokens[who]}"
        url = f"{self.url}{path}"
        return httpx.request(method, url, headers=sent, timeout=SECONDS, **given)

    def get(
        self,
        path: str,
        who: str | None = "agent",
        **params: Any,  # as httpx takes it
    ) -> dict[str, Any]:
        """Return the JSON of an answer that must be good; lists repeat a parameter."""
        answer = answered(lambda: self.call("GET", path, who, params=params or None))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def happened(self, *events: AboutIncident) -> int:
        """Record events about incidents, one by one; return the last position."""
        position = 0
        for event in events:
            stream = stream_of(event)
            before = self.log.head_version(stream)
            position = self.log.record(stream, before, [event])[-1].position
        return position


@contextmanager
def serving(
    database: Database,
    bus: Bus,
    folder: Path,
    *,
    built: bool = True,
    intake_url: str = NOWHERE,
    **more: Any,
) -> Iterator[Api]:
    """Run projections on `database` and `bus`; wait until all is `built`.

    `more` are further settings.
    """
    key_file = folder / "vault.key"
    key_file.write_text(text_of(MASTER.keys), encoding="ascii")
    settings = ProjectionsSettings(
        database_url=database.dsn("desk_projections"),
        nats_url=bus.url("projections"),
        vault_key_file=key_file,
        intake_url=intake_url,
        sign_in_by_mail=True,
        **more,
    )
    log = EventLog.open(database.owner_dsn, master=MASTER, pool_size=2)
    with (
        _patient(),
        running(lambda stop, port: run(settings, stop, port)) as port,
    ):
        api = Api(f"http://127.0.0.1:{port}", database, log, _tokens(log))
        if built:
            _wait_until_built(api)
        yield api
    log.close()


@contextmanager
def _patient() -> Iterator[None]:
    """Let reads, and processes with a limit, have the time that a busy machine takes.

    The limit of their CPU time stays. What an address has used up of its limit does not
    come back while a flood of requests takes its time.
    """
    with pytest.MonkeyPatch.context() as limits:
        limits.setattr("services.projections.snapshots.READ_SECONDS_MAX", 10)
        for reads in ("metrics", "month_reports.views"):
            limit = f"services.projections.api.{reads}.STATEMENT_SECONDS_MAX"
            limits.setattr(limit, SECONDS)
        limits.setattr("shared.http.form_limits.WITHIN_SECONDS", 86_400.0)
        for program in ("previews", "shift_files"):
            limit = f"services.projections.{program}.worker.SECONDS_MAX"
            limits.setattr(limit, SECONDS)
        yield


def _wait_until_built(api: Api) -> None:
    """Return once both read models can be read."""
    until(
        lambda: api.at_once("GET", "/health/ready", who=None).status_code == 200,
        lambda: api.at_once("GET", "/health/ready", who=None).text,
    )


def _tokens(log: EventLog) -> dict[str, str]:
    now = datetime.now(UTC)
    with log.transaction() as cursor:
        return {
            who: create(cursor, now, actor, scopes).token
            for who, (actor, scopes) in SCOPES.items()
        }


def problem(answer: httpx.Response, status: int) -> dict[str, object]:
    """Return the problem+json of an answer that must be a refusal."""
    assert answer.status_code == status, answer.text
    kind = answer.headers["content-type"]
    assert kind == "application/problem+json"
    details: dict[str, object] = answer.json()
    assert details["status"] == status
    assert details["detail"]
    assert "Traceback" not in str(details)
    return details


def in_bytes(headers: dict[str, str]) -> dict[str, str]:
    """Return headers as they travel, so that one may hold what is no ASCII."""
    return {k: v.encode("latin-1") for k, v in headers.items()}  # type: ignore[misc] # raw
