"""The policy in force, as the transaction sees it; parsed once a version."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from psycopg import Cursor

from services.intake.announced import read_book
from services.intake.announcing import windows
from services.intake.pipeline.windows import NO_WINDOWS, Windows, windows_of
from services.intake.policy_store import at_version
from shared.event_log import EventLog, Unavailable
from shared.events import maintenance
from shared.events.policy import STREAM
from shared.policy.document import Policy
from shared.problem import Problem
from shared.recorder import versions
from shared.telemetry import wordless

_RETRY_SECONDS = 5
_log = structlog.get_logger(__name__)


class Policies:
    """Gives the newest policy and its version, and remembers it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._newest: tuple[int, Policy] | None = None
        self._windows: tuple[tuple[int, int], Windows] = ((0, 0), NO_WINDOWS)

    def current(self, cursor: Cursor[tuple[Any, ...]]) -> tuple[int, Policy]:
        """Return (version, policy); `Problem` 503 where none was ever applied."""
        return self._at(cursor, versions(cursor, [STREAM])[STREAM])

    def with_windows(
        self, cursor: Cursor[tuple[Any, ...]]
    ) -> tuple[int, Policy, Windows]:
        """Return the same, with the windows of announced work; raises as `current`."""
        now = versions(cursor, [STREAM, maintenance.STREAM])
        version, policy = self._at(cursor, now[STREAM])
        known = (version, now[maintenance.STREAM])
        if self._windows[0] != known:
            with _needed("the announced maintenance"):
                once = windows(read_book(self._log, cursor)) if known[1] else []
            self._windows = (known, windows_of(policy.maintenance, once))
        return version, policy, self._windows[1]

    def _at(self, cursor: Cursor[tuple[Any, ...]], version: int) -> tuple[int, Policy]:
        held = self._newest
        if held is not None and held[0] == version:
            return held
        if version == 0:
            raise Problem(
                503,
                "this desk has no policy yet: an admin runs `permanence config apply`",
                code="no_policy",
                retry_after=_RETRY_SECONDS,
            )
        with _needed("the policy in force"):
            held = self._newest = (version, at_version(self._log, cursor, version))
        return held


@contextmanager
def _needed(what: str) -> Iterator[None]:
    """Tell senders to come again if what every decision needs cannot be read."""
    try:
        yield
    except Unavailable:
        raise
    except Exception as error:
        _log.exception("policy.unreadable", what=what)
        raise Problem(
            503,
            f"{what} cannot be read at present: {wordless(error)}. Nothing was "
            "recorded: send it again later",
            code="policy_unreadable",
            retry_after=_RETRY_SECONDS,
        ) from error
