"""The policy in force, as the transaction sees it; parsed once a version."""

from typing import Any

from psycopg import Cursor

from services.intake.policy_store import at_version
from shared.event_log import EventLog
from shared.events.policy import STREAM
from shared.policy.document import Policy
from shared.problem import Problem
from shared.recorder import versions

_RETRY_SECONDS = 5


class Policies:
    """Gives the newest policy and its version, and remembers it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._newest: tuple[int, Policy] | None = None

    def current(self, cursor: Cursor[tuple[Any, ...]]) -> tuple[int, Policy]:
        """Return (version, policy); `Problem` 503 where none was ever applied."""
        version = versions(cursor, [STREAM])[STREAM]
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
        held = self._newest = (version, at_version(self._log, version))
        return held
