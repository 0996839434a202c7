"""Policies in the log: the one in force, earlier ones, and applying a new one.

The parsed policy is cached. A version alone does not identify a policy, since after a
restore another one may have it: the cache is valid only while the stream ends with the
same event, identified by its chain hash.

Decisions use the policy of their own transaction. Endpoints use one that is at most a
second old, for what must be known before: the format and the limits of a source.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal, NamedTuple

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, StringConstraints

from services.intake.directory.store import unknown_people
from services.intake.policy.expansion import NO_FILES, Files, expanded
from services.intake.policy.window_store import read_book
from services.intake.policy.windows import NO_WINDOWS, Windows, windows, windows_of
from shared.database.cursors import Cursors
from shared.domain.events import administration
from shared.domain.events.administration import STREAM, PolicyApplied, document_bytes
from shared.domain.policy.clause import Person
from shared.domain.policy.document import Change, Policy, difference
from shared.domain.policy.escalation import idle
from shared.domain.policy.sources import Mailbox, Source
from shared.domain.policy.teams import contact_detail_in
from shared.domain.policy.validation import placed, read
from shared.domain.policy.warnings.rules import implausible
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.documents import DocumentName, name_of, store
from shared.eventlog.entry import Entry
from shared.eventlog.errors import StaleVersion, Unavailable, is_unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.policies import applied_at_version, document_of, policy_of
from shared.eventlog.recorder import NO_TIP, StreamTip, tips_of, versions
from shared.http.problem_details import HttpError
from shared.http.serve import pause
from shared.mistake import Mistake
from shared.observability.telemetry import wordless

_RETRY_SECONDS = 5

LOOK_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class Policies:
    """Returns the newest policy with its version, and caches it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._newest: tuple[StreamTip, Policy] | None = None
        self._windows: tuple[tuple[StreamTip, StreamTip], Windows] = (
            (NO_TIP, NO_TIP),
            NO_WINDOWS,
        )

    def current(self, cursor: Cursors) -> tuple[int, Policy]:
        """Return (version, policy).

        Raises `HttpError` 503 if none was ever applied, or `UnreadableDocument`.
        """
        return self._at(cursor, tips_of(cursor, [STREAM])[STREAM])

    def with_windows(self, cursor: Cursors) -> tuple[int, Policy, Windows]:
        """Return version, policy and maintenance windows; raises as `current`."""
        now = tips_of(cursor, [STREAM, administration.MAINTENANCE_STREAM])
        version, policy = self._at(cursor, now[STREAM])
        known = (now[STREAM], now[administration.MAINTENANCE_STREAM])
        if self._windows[0] != known:
            with _needed("the announced maintenance"):
                begun = known[1].version
                once = windows(read_book(self._log, cursor)) if begun else []
            self._windows = (known, windows_of(policy.maintenance, once))
        return version, policy, self._windows[1]

    def _at(self, cursor: Cursors, tip: StreamTip) -> tuple[int, Policy]:
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
    """Raise `HttpError` 503 if something that every decision needs is unreadable."""
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


class InForce:
    """Caches the newest policy for code that must not block."""

    def __init__(self, log: EventLog, policies: Policies) -> None:
        self._log = log
        self._policies = policies
        self._newest: tuple[int, Policy] | None = None
        self._looking = asyncio.Lock()

    def source(self, name: str) -> Source | None:
        """Return the policy entry of a source, or None if it has none."""
        return self._newest[1].sources.get(name) if self._newest else None

    def sources(self) -> list[str]:
        """Return the names of all sources in the policy."""
        return list(self._newest[1].sources) if self._newest else []

    def newest(self) -> tuple[int, Policy] | None:
        """Return version and policy, or None before the first one was read."""
        return self._newest

    async def known(self) -> Policy:
        """Return the policy, reading it if that was never done.

        Raises `Unavailable`, or `HttpError` 503 if none was ever applied.
        """
        if self._newest is None:
            async with self._looking:  # concurrent requests read it once
                if self._newest is None:
                    await asyncio.to_thread(self.look)
        assert self._newest is not None  # noqa: S101 # else `look` has raised
        return self._newest[1]

    def mailboxes(self) -> Mapping[str, Mailbox]:
        """Return all mailboxes by the names of their sources."""
        sources = self._newest[1].sources if self._newest else {}
        return {n: one for n, one in sources.items() if isinstance(one, Mailbox)}

    def look(self) -> None:
        """Read the policy in force; blocks. Raises if none was applied yet."""
        with self._log.transaction() as cursor:
            self._newest = self._policies.current(cursor)

    async def keep(self, stop: asyncio.Event) -> None:
        """Refresh the policy until `stop` is set; the old one is kept on errors."""
        while not stop.is_set():
            with suppress(Unavailable, HttpError):  # requests get the same error
                await asyncio.to_thread(self.look)
            await pause(stop, LOOK_SECONDS)


Purpose = Literal["live", "demo", "test"]


def _to_keep(reason: str) -> str:
    if kind := contact_detail_in(reason):
        raise ValueError(
            f"{kind} does not belong in what is kept for ever: leave it out"
        )
    return reason


class Signature(BaseModel):
    """Who applies a policy, why, and who approved it; people by their ids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Person
    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
        AfterValidator(_to_keep),
    ]
    approved_by: Person | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The policy now in force; `changes` is empty if it was in force already."""

    version: int
    policy: Policy
    changes: tuple[Change, ...]


def current(log: EventLog) -> tuple[int, Policy] | None:
    """Return version and policy in force, or None before the first."""
    with log.transaction() as cursor:
        newest = _newest(log, cursor)
        return (newest[0], policy_of(cursor, newest[1])) if newest else None


def document_at(log: EventLog, version: int | None) -> dict[str, JsonValue]:
    """Return the document of a version as applied; None for the one in force.

    Raises LookupError if the version does not exist.
    """
    with log.transaction() as cursor:
        wanted = version or versions(cursor, [STREAM])[STREAM]
        if wanted == 0:
            raise LookupError("no policy was applied yet")
        return document_of(cursor, applied_at_version(log, cursor, wanted))


def source_ever(log: EventLog, name: str) -> list[tuple[datetime, Source | None]]:
    """Return a source's entry in each policy and its start, oldest first."""
    with log.transaction() as cursor:
        return [
            (entry.event.at, policy_of(cursor, _applied(entry)).sources.get(name))
            for entry in log.histories(cursor, [STREAM])
        ]


def warnings(log: EventLog | None, text: str, policy: Policy) -> list[Mistake]:
    """Return what is allowed in the policy but probably not intended.

    Without a `log`, people are not looked up in the directory.
    """
    found = [*idle(policy), *implausible(policy)]
    if log is not None:
        with log.transaction() as cursor:
            found += unknown_people(cursor, policy)
    return placed(text, found)


def apply(  # the last two have defaults
    log: EventLog,
    text: str,
    signature: Signature,
    now: datetime,
    purpose: Purpose | None = None,
    files: Files = NO_FILES,
) -> Applied | list[Mistake]:
    """Put the policy in `text` in force, or return its mistakes.

    `files` are the files that its calendars name, as read by the caller. Without
    `purpose` the log keeps its purpose; a new log is `live`. Raises `StaleVersion` if
    somebody else applied a policy in between; nothing is changed then.
    """
    policy = read(text)
    if isinstance(policy, list):
        return policy
    past = _past(log)
    of_log: Purpose = past.purpose or purpose or "live"
    if purpose not in (None, of_log):
        sentence = f"this log is for `{of_log}`: use another database for `{purpose}`"
        return [Mistake("purpose", None, sentence)]
    policy = whole(text, policy, now, files)
    if isinstance(policy, list):
        return policy
    document = policy.document()
    changes = difference(past.document, document)
    if not changes:
        return Applied(past.version, policy, ())
    body = document_bytes(document)
    event = _event(text, name_of(body), signature, now, of_log)
    _record(log, past.version + 1, event, body)
    return Applied(past.version + 1, policy, tuple(changes))


def whole(
    text: str, policy: Policy, now: datetime, files: Files = NO_FILES
) -> Policy | list[Mistake]:
    """Return the expanded policy in `text`, or its mistakes."""
    found = expanded(policy, now.date(), files)
    return found if isinstance(found, Policy) else placed(text, found)


def changes_by(log: EventLog, policy: Policy) -> list[Change]:
    """Return what applying an expanded policy would change."""
    return difference(_past(log).document, policy.document())


def _event(
    text: str,
    document: DocumentName,
    signature: Signature,
    now: datetime,
    purpose: Purpose,
) -> PolicyApplied:
    return PolicyApplied(
        at=now,
        by=f"person:{signature.by}",
        document_hash=document.hash,
        document_size=document.size,
        text_digest=sha256(text.encode()).hexdigest(),
        reason=signature.reason,
        approved_by=signature.approved_by,
        purpose=purpose,
    )


def _record(log: EventLog, version: int, event: PolicyApplied, body: bytes) -> None:
    """Store the document and append the event that names it, in one transaction."""
    member = AppendUnit((log.stored(STREAM, version, event),))
    with log.transaction() as cursor:
        store(cursor, body)
        (outcome,) = log.append(cursor, [member])
        if not isinstance(outcome, Recorded):
            raise StaleVersion(f"{STREAM} is no longer at {version - 1}")


class _Past(NamedTuple):
    """What was in force before a policy is applied; version 0 if none."""

    version: int
    purpose: Purpose | None
    document: dict[str, JsonValue]
    """In today's canonical form, so that a field added since is not a difference."""


def _past(log: EventLog) -> _Past:
    with log.transaction() as cursor:
        newest = _newest(log, cursor)
        if newest is None:
            return _Past(0, None, {})
        version, applied = newest
        purpose = applied_at_version(log, cursor, 1).purpose
        return _Past(version, purpose, policy_of(cursor, applied).document())


def _newest(log: EventLog, cursor: Cursors) -> tuple[int, PolicyApplied] | None:
    version = versions(cursor, [STREAM])[STREAM]
    return (version, applied_at_version(log, cursor, version)) if version else None


def _applied(entry: Entry) -> PolicyApplied:
    assert isinstance(entry.event, PolicyApplied)  # noqa: S101 # the only type
    return entry.event
