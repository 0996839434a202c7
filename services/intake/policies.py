"""The policy in force, as the transaction sees it; parsed once for each history.

A version alone does not name a policy: after a restore another one may have it. What is
kept is used only while the stream ends with the same event, told by its chain hash.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from psycopg import Cursor

from services.intake.announced import read_book
from services.intake.announcing import windows
from services.intake.pipeline.windows import NO_WINDOWS, Windows, windows_of
from shared.domain.events import administration
from shared.domain.events.administration import STREAM
from shared.domain.policy.document import Policy
from shared.eventlog.errors import is_unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.policies import applied_at_version, policy_of
from shared.eventlog.recorder import NO_TIP, StreamTip, tips_of
from shared.http.problem_details import HttpError
from shared.observability.telemetry import wordless

_RETRY_SECONDS = 5
_log = structlog.get_logger(__name__)


class Policies:
    """Gives the newest policy and its version, and remembers it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._newest: tuple[StreamTip, Policy] | None = None
        self._windows: tuple[tuple[StreamTip, StreamTip], Windows] = (
            (NO_TIP, NO_TIP),
            NO_WINDOWS,
        )

    def current(self, cursor: Cursor[tuple[Any, ...]]) -> tuple[int, Policy]:
        """Return (version, policy).

        Raises `HttpError` 503 where none was ever applied, `UnreadableDocument`.
        """
        return self._at(cursor, tips_of(cursor, [STREAM])[STREAM])

    def with_windows(
        self, cursor: Cursor[tuple[Any, ...]]
    ) -> tuple[int, Policy, Windows]:
        """Return the same, with the windows of announced work; raises as `current`."""
        now = tips_of(cursor, [STREAM, administration.MAINTENANCE_STREAM])
        version, policy = self._at(cursor, now[STREAM])
        known = (now[STREAM], now[administration.MAINTENANCE_STREAM])
        if self._windows[0] != known:
            with _needed("the announced maintenance"):
                begun = known[1].version
                once = windows(read_book(self._log, cursor)) if begun else []
            self._windows = (known, windows_of(policy.maintenance, once))
        return version, policy, self._windows[1]

    def _at(
        self, cursor: Cursor[tuple[Any, ...]], tip: StreamTip
    ) -> tuple[int, Policy]:
        held = self._newest
        if held is not None and held[0] == tip:
            return tip.version, held[1]
        if tip == NO_TIP:
            raise HttpError(
                503,
                "this desk has no policy yet: an admin runs `permanence config apply`",
                code="no_policy",
                retry_after=_RETRY_SECONDS,
            )
        with _needed("the policy in force"):
            applied = applied_at_version(self._log, cursor, tip.version)
            policy = policy_of(cursor, applied)
        self._newest = (tip, policy)
        return tip.version, policy


@contextmanager
def _needed(what: str) -> Iterator[None]:
    """Tell senders to come again if what every decision needs cannot be read."""
    try:
        yield
    except Exception as error:
        if is_unavailable(error):
            raise
        _log.exception("policy.unreadable", what=what)
        raise HttpError(
            503,
            f"{what} cannot be read at present: {wordless(error)}. Nothing was "
            "recorded: send it again later",
            code="policy_unreadable",
            retry_after=_RETRY_SECONDS,
        ) from error
