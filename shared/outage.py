"""Tells of an absent server in one line at once, then seldom, and of its return."""

import time
from collections.abc import Callable

import structlog

EVERY_SECONDS = 30.0
"""How often an outage that goes on is told again."""

REASON_MAX = 400
"""Longer than our own sentences, which end with what a person has to do."""

_log = structlog.get_logger(__name__)


class Outage:
    """The absence of `what`; `doing` says what we do about it meanwhile."""

    def __init__(
        self,
        what: str,
        doing: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._doing = doing
        self._monotonic = monotonic
        self._since: float | None = None
        self._told = 0.0

    def away(self, error: Exception) -> None:
        """Tell that the server is away, unless that was told a moment ago."""
        now = self._monotonic()
        if self._since is not None and now - self._told < EVERY_SECONDS:
            return
        if self._since is None:
            self._since = now
        self._told = now
        _log.warning(
            f"{self._what}.away",
            doing=self._doing,
            error=reason(error),
            away_seconds=round(now - self._since),
        )

    def back(self) -> None:
        """Tell that the server is back, where it was told to be away."""
        if self._since is not None:
            away = round(self._monotonic() - self._since)
            _log.info(f"{self._what}.back", away_seconds=away)
        self._since = None


def reason(error: BaseException) -> str:
    """Return an error as one short line."""
    text = str(error).strip().partition("\n")[0][:REASON_MAX]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
