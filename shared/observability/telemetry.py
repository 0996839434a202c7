"""Log lines in JSON or for the console, also those of libraries, without personal text.

Bind the context of a line with `structlog.contextvars.bound_contextvars(incident=…,
position=…, command_id=…)`; `asyncio.to_thread` passes it on, an executor does not.

`Outage` logs an absent server once at first, then rarely, and its return.
"""

import logging
import sys
import time
from collections.abc import Callable
from traceback import extract_tb
from typing import Literal

import structlog
from psycopg import Error as PostgresError
from pydantic import ValidationError
from structlog.typing import EventDict, Processor, WrappedLogger

EVERY_SECONDS = 30.0
"""How often a continuing outage is logged again."""

REASON_MAX = 400
"""Longer than the desk's own sentences, which end with what a person has to do."""

_log = structlog.get_logger(__name__)


class Outage:
    """The absence of `what`; `doing` says what the process does meanwhile."""

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
        """Log that the server is away, unless that was logged recently."""
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
        """Log that the server is back, if its absence was logged."""
        if self._since is not None:
            away = round(self._monotonic() - self._since)
            _log.info(f"{self._what}.back", away_seconds=away)
        self._since = None


def reason(error: BaseException) -> str:
    """Return an error as one short line."""
    text = str(error).strip().partition("\n")[0][:REASON_MAX]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


LogFormat = Literal["json", "console"]
FRAMES_MAX = 12

_QUIET = {
    # They log one line for each request and message: too many to read.
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "faststream": logging.WARNING,
    # It logs the address of each request, which may contain the key of a source.
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    # They log the numbers and URLs of people, also in their warnings and errors.
    "apprise": logging.CRITICAL + 1,
    "urllib3": logging.CRITICAL + 1,
    # Its pool logs every failed attempt; the caller that waits logs it once.
    "psycopg.pool": logging.ERROR,
    "asyncio": logging.ERROR,
}


def configure(
    service: str, log_format: LogFormat = "json", log_level: str = "info"
) -> None:
    """Set up the logging of a process; call it once, first of all."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _service(service),
        told_briefly,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(log_format),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log_level.upper())
    logging.captureWarnings(True)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, root.level))


def _renderer(log_format: LogFormat) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def _service(service: str) -> Processor:
    def add(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        return {**line, "service": service}

    return add


def told_briefly(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Replace an exception by its name and location.

    A printed traceback contains the message, and messages of validation and of
    PostgreSQL contain values, which may be personal text.
    """
    error = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        line["error"] = wordless(error)
        line["frames"] = frames_of(error)
    return line


def frames_of(error: BaseException) -> list[str]:
    """Return where an error was raised, the innermost frame last."""
    return [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in extract_tb(error.__traceback__)[-FRAMES_MAX:]
    ]


def wordless(error: BaseException) -> str:
    """Return a description of an error without values that it may contain."""
    match error:
        case ValidationError():
            places = ", ".join(
                f"{'.'.join(map(str, e['loc']))}: {e['type']}"
                for e in error.errors(include_input=False, include_context=False)
            )
            return f"{error.title} is not valid: {places}"[:500]
        case PostgresError():
            constraint = error.diag.constraint_name
            told = f"{type(error).__name__} {error.sqlstate or ''}".strip()
            return f"{told} {constraint}" if constraint else told
        case _:
            return reason(error)
