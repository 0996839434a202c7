"""Lists reviews, and the actions of all reviews, from the log: they are few."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from operator import itemgetter

from services.projections.api.callers import sight_of
from services.projections.api.desk import Desk
from services.projections.api.limits import PAGE_MAX
from services.projections.api.position import known
from services.projections.api.query_params import unwanted
from services.projections.api.redaction import redacted
from services.projections.api.reviews.schemas import (
    ReviewActionList,
    ReviewActionsQuery,
    ReviewItem,
    ReviewList,
    ReviewsQuery,
)
from services.projections.api.reviews.views import action_view
from services.projections.generations import live
from services.projections.log_queries import desk_zone
from services.projections.queue.row import QueueRow
from services.projections.queue.store import load
from services.projections.read_models import QUEUE
from services.projections.sight import visible
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.domain.action import Action
from shared.domain.identifiers import review_stream, reviewed_incident
from shared.domain.review.state import ActionEvent, Review, action_after
from shared.eventlog.log import SELECT_ROWS, EventLog, Row
from shared.reviews import reviews_of
from shared.security.access import Caller

READ_MAX = 50_000
"""The maximum number of events of actions that one answer reads."""
_LIST = """
SELECT originator_id FROM log.events
WHERE topic = 'review.opened' AND originator_id COLLATE "C" < %s
  AND notification_id <= %s
ORDER BY originator_id COLLATE "C" DESC LIMIT %s
"""
_ACTIONS = f"""
{SELECT_ROWS} WHERE topic IN ('review.action_opened', 'review.action_assigned',
    'review.action_done', 'review.action_dropped') AND notification_id <= %s
ORDER BY originator_id COLLATE "C", originator_version LIMIT %s
"""


def reviews(desk: Desk, query: ReviewsQuery, caller: Caller) -> ReviewList:
    """Return a page of the reviews of incidents that the caller sees. Blocks."""
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        schema = live(cursor, QUEUE).schema
        sight, found = sight_of(caller), list[Review]()
        before: str | None = query.cursor
        while len(found) <= query.limit:
            refs = _refs(cursor, before, upto.position)
            seen = visible(cursor, schema, sight, refs)
            held = reviews_of(
                desk.log, cursor, [ref for ref in refs if ref in seen], upto.position
            )
            found += [held[r] for r in refs if r in held and _fits(held[r], query)]
            if len(refs) < PAGE_MAX:
                break
            before = refs[-1]
        shown = found[: query.limit]
        rows = load(cursor, schema, [each.incident for each in shown])
        now = desk.clock()
        page = ReviewList(
            items=[_item(each, rows.get(each.incident), now) for each in shown],
            next_cursor=shown[-1].incident if len(found) > len(shown) else None,
            zone=desk_zone(desk.log, cursor),
            as_of=upto,
        )
        return redacted(desk.log, cursor, sight, page, *rows)


def _refs(cursor: Cursors, before: str | None, upto: int) -> list[str]:
    # Letters sort after digits: without a cursor, a text after every reference.
    given = (review_stream(before or "~"), upto, PAGE_MAX)
    return [reviewed_incident(stream) for (stream,) in cursor.execute(_LIST, given)]


def _fits(review: Review, query: ReviewsQuery) -> bool:
    is_published = review.status == "published"
    return query.status == "all" or is_published == (query.status == "published")


def _item(review: Review, row: QueueRow | None, now: datetime) -> ReviewItem:
    actions = review.actions.values()
    return ReviewItem(
        incident=review.incident,
        title=row.title if row else None,
        service=row.service if row else None,
        status=review.status,
        cause=review.cause,
        owner=review.owner,
        opened_at=review.opened_at,
        due_at=review.due_at,
        overdue=review.is_overdue(now),
        editions=len(review.editions),
        published_at=review.editions[-1].at if review.editions else None,
        open_actions=sum(each.is_open for each in actions),
        overdue_actions=sum(each.is_overdue(now) for each in actions),
    )


_Key = tuple[datetime, str, int]
"""The place of an action in the list: due date, incident, number."""


def actions(desk: Desk, query: ReviewActionsQuery, caller: Caller) -> ReviewActionList:
    """Return a page of the actions of all reviews that the caller sees. Blocks."""
    with snapshot(desk.log) as cursor:
        upto, now = known(cursor, None, query.min_position), desk.clock()
        sight, schema = sight_of(caller), live(cursor, QUEUE).schema
        held = _actions(desk.log, cursor, upto.position)
        after = _place_of(held, query.cursor)
        wanted = [
            (key, action)
            for key, action in sorted(_fitting(held, query, now), key=itemgetter(0))
            if after is None or key > after
        ]
        refs = sorted({incident for (_, incident, _), _ in wanted})
        seen = visible(cursor, schema, sight, refs)
        found = [key for key, _ in wanted if key[1] in seen]
        shown = found[: query.limit]
        # Only now the words are decrypted: those of one page.
        own = sorted({incident for _, incident, _ in shown})
        full = reviews_of(desk.log, cursor, own, upto.position)
        items = [
            action_view(incident, full[incident].actions[number], now)
            for _, incident, number in shown
            if incident in full
        ]
        more = len(found) > len(shown)
        page = ReviewActionList(
            items=items,
            next_cursor=f"{shown[-1][1]}.{shown[-1][2]}" if more else None,
            zone=desk_zone(desk.log, cursor),
            as_of=upto,
        )
        return redacted(desk.log, cursor, sight, page, *own)


def _actions(
    log: EventLog, cursor: Cursors, upto: int
) -> Mapping[tuple[str, int], Action]:
    """Return all actions by incident and number, without their words."""
    given = (upto, READ_MAX + 1)
    rows = [Row(*row) for row in cursor.execute(_ACTIONS, given, binary=True)]
    if len(rows) > READ_MAX:
        raise unwanted("status", f"there are more than {READ_MAX} events of actions")
    held: dict[tuple[str, int], Action] = {}
    for entry in log.without_words(rows).entries:
        if isinstance(entry.event, ActionEvent):
            key = entry.event.incident, entry.event.action
            held[key] = action_after(held.get(key), entry.event)
    return held


def _fitting(
    held: Mapping[tuple[str, int], Action], query: ReviewActionsQuery, now: datetime
) -> Iterator[tuple[_Key, Action]]:
    for (incident, number), action in held.items():
        if query.owner is not None and action.owner != query.owner:
            continue
        if _has_status(action, query.status, now):
            yield (action.due_at, incident, number), action


def _has_status(action: Action, status: str, now: datetime) -> bool:
    match status:
        case "open":
            return action.is_open
        case "overdue":
            return action.is_overdue(now)
        case "ended":
            return not action.is_open
        case _:
            return True


def _place_of(
    held: Mapping[tuple[str, int], Action], cursor: str | None
) -> _Key | None:
    """Return where the previous page ended; its last action exists for ever."""
    if cursor is None:
        return None
    incident, _, number = cursor.rpartition(".")
    action = held.get((incident, int(number)))
    if action is None:
        raise unwanted("cursor", "no page ends there: begin at the first one")
    return action.due_at, incident, int(number)
