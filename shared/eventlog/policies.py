"""The policies that were ever applied: each is read by its version, parsed once.

An event names its document by a hash, so a parsed policy is kept by that hash: it is
the same policy in every log and in every transaction.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any

import orjson
from psycopg import Cursor
from pydantic import JsonValue, ValidationError

from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.policy.document import Policy
from shared.eventlog.documents import DocumentName, UnreadableDocument, load
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

POLICIES_HELD_MAX = 16
"""Parsed policies that a process keeps; the least recently used is dropped first."""

_AT_VERSION = f"{SELECT_ROWS} WHERE originator_id = %s AND originator_version = %s"
_Cursor = Cursor[tuple[Any, ...]]


class PolicyCache:
    """Keeps parsed policies by the hash of their documents. Safe between threads."""

    def __init__(self, held_max: int = POLICIES_HELD_MAX) -> None:
        self._held_max = held_max
        self._held: OrderedDict[str, Policy] = OrderedDict()
        self._lock = Lock()

    def held(self, key: str) -> Policy | None:
        """Return the policy with this hash; None if it is not kept."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def keep(self, key: str, policy: Policy) -> Policy:
        """Keep a policy; return the one kept, which another thread may have parsed."""
        with self._lock:
            kept = self._held.setdefault(key, policy)
            self._held.move_to_end(key)
            while len(self._held) > self._held_max:
                self._held.popitem(last=False)
            return kept


_CACHE = PolicyCache()


def document_of(cursor: _Cursor, applied: PolicyApplied) -> dict[str, JsonValue]:
    """Return the document of an applied policy, read in the caller's transaction.

    Raises `UnreadableDocument` where the database does not hold it unchanged.
    """
    if applied.document is not None:
        return applied.document
    name = DocumentName(applied.document_hash, applied.document_size)
    try:
        document: dict[str, JsonValue] = orjson.loads(load(cursor, name))
    except orjson.JSONDecodeError as error:
        raise UnreadableDocument(f"document {name.hash} is not JSON") from error
    return document


def policy_of(cursor: _Cursor, applied: PolicyApplied) -> Policy:
    """Return an applied policy, read in the caller's transaction.

    Raises `UnreadableDocument` where the database does not hold its document unchanged,
    or where this version cannot read it.
    """
    held = _CACHE.held(applied.document_hash)
    if held is not None:
        return held
    document = document_of(cursor, applied)
    try:
        policy = Policy.from_document(document)
    except ValidationError as error:
        raise UnreadableDocument(
            f"document {applied.document_hash} is not a policy that this version can "
            "read: upgrade"
        ) from error
    return _CACHE.keep(applied.document_hash, policy)


def applied_at_version(log: EventLog, cursor: _Cursor, version: int) -> PolicyApplied:
    """Return the event that applied a version; LookupError if the log has none."""
    row = cursor.execute(_AT_VERSION, (STREAM, version), binary=True).fetchone()
    event = log.entry(Row(*row)).event if row else None
    match event:
        case PolicyApplied():
            return event
        case _:
            raise LookupError(f"no policy version {version} in the log")


class PolicyVersions:
    """Gives the policy of a version, also inside a transaction of the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._hashes: dict[int, str] = {}
        self._cache = f"policies-{id(self)}"
        log.continuity.drop_with(self.drop)

    def drop(self) -> None:
        """Forget which policy each version is: another history has others."""
        self._hashes = {}

    def __call__(self, version: int) -> Policy:
        """Return that policy; LookupError where the log has no such version."""
        known = self._hashes.get(version)
        held = _CACHE.held(known) if known else None
        if held is not None:
            return held
        history = self._log.continuity.history
        # All versions of one history: none is kept from what was read before.
        applied = {
            entry.version: entry.event
            for entry in self._log.pinned_history(STREAM, self._cache)
            if isinstance(entry.event, PolicyApplied)
        }
        if history == self._log.continuity.history:
            self._hashes = {v: event.document_hash for v, event in applied.items()}
        if version not in applied:
            raise LookupError(f"no policy version {version} in the log")
        with self._log.transaction() as cursor:
            return policy_of(cursor, applied[version])
