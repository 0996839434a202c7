"""Reads reviews, and the facts that the log has for them: to decide, and to show."""

from collections.abc import Mapping, Sequence

from shared.database.cursors import Cursors
from shared.domain.identifiers import (
    escalation_stream,
    handover_stream,
    incident_stream,
    review_stream,
    sla_stream,
)
from shared.domain.review.facts import Logged
from shared.domain.review.state import Review, replay_review
from shared.eventlog.histories import readable
from shared.eventlog.log import NEWEST, EventLog

_ABOUT = (incident_stream, sla_stream, escalation_stream, handover_stream)


def history_of(
    log: EventLog, cursor: Cursors, ref: str, upto: int = NEWEST
) -> Sequence[Logged]:
    """Return what the log has about an incident up to a position, without words.

    Reviews show what happened, not what people wrote: no key is needed. What cannot be
    read is read again, which says why.
    """
    streams = [name(ref) for name in _ABOUT]
    found = log.without_words(log.stored_histories(cursor, streams, upto))
    entries = [*found.entries, *log.entries(found.unreadable)]
    return [Logged(entry.position, entry.event) for entry in entries]


def review_of(
    log: EventLog, cursor: Cursors, ref: str, upto: int = NEWEST
) -> tuple[Review | None, int]:
    """Return the review of an incident and its version; None and 0 without one."""
    entries = log.histories(cursor, [review_stream(ref)], upto)
    version = entries[-1].version if entries else 0
    return replay_review(each.event for each in entries), version


def reviews_of(
    log: EventLog, cursor: Cursors, refs: Sequence[str], upto: int = NEWEST
) -> Mapping[str, Review]:
    """Return those reviews of these incidents that exist and can be read."""
    streams = {review_stream(ref): ref for ref in refs}
    found = readable(log, cursor, list(streams), upto) if streams else {}
    reviews = {
        streams[stream]: replay_review(each.event for each in entries)
        for stream, entries in found.items()
    }
    return {ref: review for ref, review in reviews.items() if review is not None}
