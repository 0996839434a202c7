"""Reads the results of surveys from the log: for those who publish and who show them.

Computed from the events each time, so there is no table that could differ from the
log. `recorded_at` never decreases in the log: a period that is over does not change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.database.cursors import Cursors
from shared.domain.events import AnyEvent
from shared.domain.events.survey import (
    SurveyAnswered,
    SurveyContactAnswered,
    SurveyContactInvited,
    SurveyInvited,
)
from shared.domain.events.survey.anonymous import (
    SurveyAnswerReleased,
    SurveyCommentReleased,
)
from shared.domain.events.survey.results import SurveyResults
from shared.domain.identifiers import (
    survey_answers_stream,
    survey_results_stream,
    survey_stream,
)
from shared.domain.survey.record import SurveyRecord, replay_record
from shared.domain.survey.results import (
    AnyAnswer,
    AnyInvitation,
    InvitationRecord,
    results,
)
from shared.eventlog.entry import Entry
from shared.eventlog.log import SELECT_ROWS, EventLog, Row

READ_MAX = 200_000
"""The maximum number of invitations and answers of one period, of all surveys."""
_WITHIN = f"""
{SELECT_ROWS} WHERE topic IN ('survey.invited', 'survey.answered')
    AND recorded_at >= %s AND recorded_at < %s
ORDER BY recorded_at, notification_id LIMIT %s
"""
_CONTACTS = f"""
{SELECT_ROWS} WHERE topic IN ('survey.contact_invited', 'survey.contact_answered')
    AND recorded_at >= %s AND recorded_at < %s
ORDER BY recorded_at, notification_id LIMIT %s
"""
_RELEASED = f"""
{SELECT_ROWS} WHERE topic = 'survey.answer_released'
    AND recorded_at >= %s AND recorded_at < %s
ORDER BY recorded_at, notification_id LIMIT %s
"""
# Its first condition is that of the index, which has both topics.
_ASKED = """
SELECT EXISTS (
    SELECT FROM log.events WHERE topic IN ('survey.invited', 'survey.answered')
        AND topic = 'survey.invited' AND recorded_at >= %s AND recorded_at < %s
        AND log.said(state, 'survey') = %s
)
"""

_WAITING = """
SELECT EXISTS (SELECT FROM intake.anonymous_answers WHERE survey = %s AND waits)
"""


COMMENTS_MAX = 200
"""The maximum number of comments that are shown of a period, the newest."""


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote beside their choices.

    An anonymous one tells neither the person nor the incident, and only its day.
    """

    at: datetime
    person: str | None
    incident: str | None
    words: str
    """`FORGOTTEN` once its writer is."""


class TooManyAnswers(Exception):
    """The period has more than `READ_MAX` events: ask for a shorter one."""


def results_in(
    log: EventLog,
    cursor: Cursors,
    survey: str,
    period: tuple[datetime, datetime],
    least: int,
) -> SurveyResults:
    """Return the results of a survey in [start, end). Raises `TooManyAnswers`."""
    rows = [
        *_rows(cursor, _WITHIN, period),
        *_rows(cursor, _CONTACTS, period),
    ]
    invited, answered = _read(log, rows, survey)
    missing = sorted(answered.keys() - invited.keys())
    earlier = log.stored_histories(cursor, [survey_stream(ref) for ref in missing])
    invited |= _read(log, earlier, survey)[0]
    asked = (_asked(entry, answered.get(ref)) for ref, entry in invited.items())
    anonymous = _read_all(log, _rows(cursor, _RELEASED, period))
    released = [
        entry.event
        for entry in anonymous
        if isinstance(entry.event, SurveyAnswerReleased)
        and entry.event.survey == survey
    ]
    return results(asked, period, least, released)


def _rows(cursor: Cursors, query: str, period: tuple[datetime, datetime]) -> list[Row]:
    found = cursor.execute(query, (*period, READ_MAX + 1), binary=True)
    rows = [Row(*row) for row in found]
    if len(rows) > READ_MAX:
        raise TooManyAnswers(f"more than {READ_MAX} invitations and answers")
    return rows


def _read_all(log: EventLog, rows: Sequence[Row]) -> list[Entry]:
    read = log.without_words(rows)
    # What cannot be read would be missing in the results: reading it says why.
    return [*read.entries, *log.entries(read.unreadable)]


def _read(
    log: EventLog, rows: Sequence[Row], survey: str
) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """Return the invitations and the answers of a survey, by their reference."""
    invited, answered = dict[str, Entry](), dict[str, Entry]()
    for entry in _read_all(log, rows):
        match entry.event:
            case (
                SurveyInvited(survey=name, incident=ref)
                | SurveyContactInvited(survey=name, invitation=ref)
            ) if name == survey:
                invited[ref] = entry
            case (
                SurveyAnswered(survey=name, incident=ref)
                | SurveyContactAnswered(survey=name, invitation=ref)
            ) if name == survey:
                answered[ref] = entry
            case _:
                pass
    return invited, answered


def _asked(invited: Entry, answered: Entry | None) -> InvitationRecord:
    assert isinstance(invited.event, AnyInvitation)  # noqa: S101 # `_read` says so
    if answered is None or not isinstance(answered.event, AnyAnswer):
        return InvitationRecord(invited.event, invited.recorded_at)
    return InvitationRecord(
        invited.event, invited.recorded_at, answered.event, answered.recorded_at
    )


def comments_in(
    log: EventLog,
    cursor: Cursors,
    survey: str,
    period: tuple[datetime, datetime],
    *,
    named: bool,
) -> tuple[Sequence[Comment], bool]:
    """Return the newest comments of [start, end), and whether some are left out.

    These are the comments with a person, unless `named`. Raises `TooManyAnswers`.
    """
    start, end = period
    rows = [
        *_rows(cursor, _WITHIN, period),
        *_rows(cursor, _CONTACTS, period),
        *(
            row
            for row in log.stored_histories(cursor, [survey_answers_stream(survey)])
            if start <= row.recorded_at < end
        ),
    ]
    # What is without words tells which rows have some: only these are decrypted.
    bare = log.without_words(rows).entries
    commented = {
        entry.position: comment
        for entry in bare
        if (comment := _comment(entry, survey))
    }
    shown = [at for at, each in commented.items() if named or each.person is None]
    newest = sorted(shown, reverse=True)[:COMMENTS_MAX]
    chosen = [row for row in rows if row.position in set(newest)]
    found = (_comment(entry, survey) for entry in log.entries(chosen))
    return sorted(
        (each for each in found if each), key=lambda each: each.at, reverse=True
    ), len(shown) < len(commented)


def _comment(entry: Entry, survey: str) -> Comment | None:
    match entry.event:
        case SurveyAnswered(
            survey=name, at=at, person=person, incident=ref, comment=str() as words
        ) if name == survey:
            return Comment(at, person, ref, words)
        case SurveyContactAnswered(
            survey=name, at=at, person=person, comment=str() as words
        ) if name == survey:
            return Comment(at, person, None, words)
        case SurveyCommentReleased(survey=name, at=at, comment=words) if name == survey:
            return Comment(at, None, None, words)
        case _:
            return None


def is_anybody_asked(
    cursor: Cursors, survey: str, period: tuple[datetime, datetime]
) -> bool:
    """Return whether a survey asked anybody in [start, end)."""
    row = cursor.execute(_ASKED, (*period, survey)).fetchone()
    return row is not None and bool(row[0])


def records_of(
    log: EventLog, cursor: Cursors, surveys: Sequence[str]
) -> Mapping[str, SurveyRecord]:
    """Return what was published of each survey, and what follows of it."""
    streams = {survey_results_stream(name): name for name in surveys}
    events: dict[str, list[AnyEvent]] = {name: [] for name in surveys}
    for entry in log.histories(cursor, list(streams)):
        events[streams[entry.stream]].append(entry.event)
    return {name: replay_record(happened) for name, happened in events.items()}


def do_answers_wait(cursor: Cursors, survey: str) -> bool:
    """Return whether answers to an anonymous survey are not in the log yet."""
    row = cursor.execute(_WAITING, (survey,)).fetchone()
    return row is not None and bool(row[0])
