"""The policies in the log: which is in force, which was, and putting a new one in."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

from psycopg import Cursor
from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, StringConstraints

from services.intake.expanding import NO_FILES, Files, expanded
from shared.entry import Entry
from shared.event_log import EventLog
from shared.events.policy import STREAM, PolicyApplied
from shared.mistake import Mistake
from shared.policy.contact_details import contact_detail_in
from shared.policy.difference import Change, difference
from shared.policy.document import Policy
from shared.policy.names import Person
from shared.policy.reading import placed, read
from shared.policy.sources import Source

Purpose = Literal["live", "demo", "test"]


def _to_keep(reason: str) -> str:
    if kind := contact_detail_in(reason):
        raise ValueError(
            f"{kind} does not belong in what is kept for ever: leave it out"
        )
    return reason


class Signature(BaseModel):
    """Who applies a policy, why, and who agreed to it; people by their ids."""

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
    """The policy in force now; no `changes` where it was in force already."""

    version: int
    policy: Policy
    changes: tuple[Change, ...]


def current(log: EventLog) -> tuple[int, Policy] | None:
    """Return the version and policy in force, None before the first."""
    past = _applied(log)
    return (past[-1][0], _policy(past[-1][1])) if past else None


def at_version(log: EventLog, cursor: Cursor[tuple[Any, ...]], version: int) -> Policy:
    """Return the policy of a version; LookupError where there is none such.

    It is read in the caller's transaction: whoever holds one connection must not wait
    for another, or as many as there are connections wait for each other.
    """
    past = dict(map(_versioned, log.histories(cursor, [STREAM])))
    if version not in past:
        raise LookupError(f"no policy version {version}: there are {len(past)}")
    return _policy(past[version])


def source_ever(log: EventLog, name: str) -> list[tuple[datetime, Source | None]]:
    """Return what each policy said of a source, and since when, the oldest first."""
    return [(event.at, _policy(event).sources.get(name)) for _, event in _applied(log)]


def apply(  # the last two have a default for good
    log: EventLog,
    text: str,
    signature: Signature,
    now: datetime,
    purpose: Purpose | None = None,
    files: Files = NO_FILES,
) -> Applied | list[Mistake]:
    """Put the policy in `text` in force, or return what is wrong with it.

    `files` are those that its calendars name, for they are beside it and not here.
    Without `purpose` the log keeps the one it has; a new log is `live`. Raises
    `StaleVersion` where somebody else applied one in between: nothing is done then.
    """
    policy = read(text)
    if isinstance(policy, list):
        return policy
    past = _applied(log)
    of_log: Purpose = past[0][1].purpose if past else (purpose or "live")
    if purpose not in (None, of_log):
        sentence = f"this log is for `{of_log}`: use another database for `{purpose}`"
        return [Mistake("purpose", None, sentence)]
    version = past[-1][0] if past else 0
    policy = whole(text, policy, now, files)
    if isinstance(policy, list):
        return policy
    changes = difference(_document(past), policy.document())
    if not changes:
        return Applied(version, policy, ())
    event = _event(text, policy, signature, now, of_log)
    (entry,) = log.record(STREAM, version, [event])
    return Applied(entry.version, policy, tuple(changes))


def whole(
    text: str, policy: Policy, now: datetime, files: Files = NO_FILES
) -> Policy | list[Mistake]:
    """Return the policy in `text` as it is applied now, or what is wrong with it."""
    found = expanded(policy, now.date(), files)
    return found if isinstance(found, Policy) else placed(text, found)


def changes_by(log: EventLog, policy: Policy) -> list[Change]:
    """Return what putting a whole policy in force would change."""
    return difference(_document(_applied(log)), policy.document())


def _event(
    text: str, policy: Policy, signature: Signature, now: datetime, purpose: Purpose
) -> PolicyApplied:
    return PolicyApplied(
        at=now,
        by=f"person:{signature.by}",
        document=policy.document(),
        text_digest=sha256(text.encode()).hexdigest(),
        reason=signature.reason,
        approved_by=signature.approved_by,
        purpose=purpose,
    )


def _applied(log: EventLog) -> list[tuple[int, PolicyApplied]]:
    return [_versioned(entry) for entry in log.history(STREAM)]


def _versioned(entry: Entry) -> tuple[int, PolicyApplied]:
    assert isinstance(entry.event, PolicyApplied)  # noqa: S101 - nothing else is in this stream
    return entry.version, entry.event


def _policy(event: PolicyApplied) -> Policy:
    return Policy.from_document(event.document)


def _document(past: list[tuple[int, PolicyApplied]]) -> dict[str, JsonValue]:
    # In today's canonical form: a field added since is no difference.
    return _policy(past[-1][1]).document() if past else {}
