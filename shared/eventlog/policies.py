"""All policies ever applied: read by version, each parsed once.

An event refers to its document by a hash, so parsed policies are cached by hash: the
policy is the same in every log and in every transaction.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import orjson
from pydantic import JsonValue, ValidationError

from shared.database.cursors import Cursors
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.policy.document import Policy
from shared.eventlog.documents import DocumentName, UnreadableDocument, load
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

POLICIES_READ_MAX = 100
"""Policies that are read at once; of more, the newest."""
POLICIES_HELD_MAX = 16
"""The size of the cache; the least recently used policy is dropped first."""

_AT_VERSION = f"{SELECT_ROWS} WHERE originator_id = %s AND originator_version = %s"
_NEWEST = (
    f"{SELECT_ROWS} WHERE originator_id = %s ORDER BY originator_version DESC LIMIT 1"
)
_IN_FORCE_SINCE = f"""
{SELECT_ROWS} WHERE originator_id = %(stream)s AND originator_version >= (
    SELECT coalesce(max(originator_version), 0) FROM log.events
    WHERE originator_id = %(stream)s AND recorded_at <= %(since)s)
ORDER BY originator_version DESC LIMIT %(most)s
"""  # noqa: S608 # our own names


class PolicyCache:
    """Caches parsed policies by the hash of their documents. Thread-safe."""

    def __init__(self, held_max: int = POLICIES_HELD_MAX) -> None:
        self._held_max = held_max
        self._held: OrderedDict[str, Policy] = OrderedDict()
        self._lock = Lock()

    def held(self, key: str) -> Policy | None:
        """Return the policy with this hash; None if it is not cached."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def keep(self, key: str, policy: Policy) -> Policy:
        """Cache a policy; return the cached one, perhaps parsed by another thread."""
        with self._lock:
            kept = self._held.setdefault(key, policy)
            self._held.move_to_end(key)
            while len(self._held) > self._held_max:
                self._held.popitem(last=False)
            return kept


_CACHE = PolicyCache()


def document_of(cursor: Cursors, applied: PolicyApplied) -> dict[str, JsonValue]:
    """Return the document of an applied policy, read in the caller's transaction.

    Raises `UnreadableDocument` if the database does not contain it unchanged.
    """
    if applied.document is not None:
        return applied.document
    name = DocumentName(applied.document_hash, applied.document_size)
    try:
        document: dict[str, JsonValue] = orjson.loads(load(cursor, name))
    except orjson.JSONDecodeError as error:
        raise UnreadableDocument(f"document {name.hash} is not JSON") from error
    return document


def policy_of(cursor: Cursors, applied: PolicyApplied) -> Policy:
    """Return an applied policy, read in the caller's transaction.

    Raises `UnreadableDocument` if the database does not contain its document unchanged,
    or if this version of the program cannot read it.
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


def policy_now(log: EventLog, cursor: Cursors) -> Policy | None:
    """Return the policy in force, None if none was applied."""
    newest = newest_policy(log, cursor)
    return newest[1] if newest else None


def newest_policy(log: EventLog, cursor: Cursors) -> tuple[int, Policy] | None:
    """Return version and policy in force, None if none was applied."""
    row = cursor.execute(_NEWEST, (STREAM,), binary=True).fetchone()
    entry = log.entry(Row(*row)) if row else None
    if entry is None or not isinstance(entry.event, PolicyApplied):
        return None
    return entry.version, policy_of(cursor, entry.event)


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A policy and when it came into force."""

    since: datetime
    version: int
    policy: Policy


def policies_since(
    log: EventLog, cursor: Cursors, since: datetime
) -> list[PolicyInForce]:
    """Return the policy in force at an instant, if any, and all later ones."""
    given = {"stream": STREAM, "since": since, "most": POLICIES_READ_MAX}
    rows = cursor.execute(_IN_FORCE_SINCE, given, binary=True).fetchall()
    entries = [log.entry(Row(*row)) for row in reversed(rows)]
    return [
        PolicyInForce(entry.recorded_at, entry.version, policy_of(cursor, entry.event))
        for entry in entries
        if isinstance(entry.event, PolicyApplied)
    ]


def applied_at_version(log: EventLog, cursor: Cursors, version: int) -> PolicyApplied:
    """Return the event that applied a version; LookupError if the log has none."""
    row = cursor.execute(_AT_VERSION, (STREAM, version), binary=True).fetchone()
    event = log.entry(Row(*row)).event if row else None
    match event:
        case PolicyApplied():
            return event
        case _:
            raise LookupError(f"no policy version {version} in the log")


class PolicyVersions:
    """Returns the policy of a version, also inside a transaction of the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._hashes: dict[int, str] = {}
        self._cache = f"policies-{id(self)}"
        log.continuity.drop_with(self.drop)

    def drop(self) -> None:
        """Forget which policy each version is: another history has other ones."""
        self._hashes = {}

    def __call__(self, version: int) -> Policy:
        """Return the policy; LookupError if the log has no such version."""
        known = self._hashes.get(version)
        held = _CACHE.held(known) if known else None
        if held is not None:
            return held
        history = self._log.continuity.history
        # All versions are of one history: nothing read earlier is kept.
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
