"""Turns a request into a mail to an owner, with what is known when it is sent."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.contacts import GONE, NO_ADDRESS, mail_reader
from services.escalation.notifications.recall import Person
from services.escalation.owner_mail.rules import OwnerRequest, action_of, is_needed
from shared.database.cursors import Cursors
from shared.domain.policy.teams import Desk
from shared.domain.review.state import Review
from shared.domain.survey.periods import next_month
from shared.domain.survey.record import SurveyRecord
from shared.eventlog.epochs import read_epochs
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.i18n.messages import say
from shared.i18n.owner_notices import (
    OwnerNotice,
    ReviewActionNotice,
    ReviewNotice,
    SurveyActionNotice,
    SurveyWarning,
)
from shared.reviews import review_of
from shared.security.rights import is_removed
from shared.surveys.results import records_of

_OVER = Failed("it was no longer so when it was to be sent", permanent=True)
_NO_POLICY = Failed("no policy is in force", permanent=True)
_MOMENT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


class _Letter(NamedTuple):
    """What a mail is made of."""

    held: SurveyRecord | Review
    reader: Person
    desk: Desk
    key: str


@dataclass(frozen=True)
class OwnerLetters:
    """Composes mail; `public_url` is where people open the desk, or empty."""

    log: EventLog
    public_url: str

    def of(self, request: OwnerRequest, now: datetime) -> ByMail | Failed:
        """Return the mail of a request, or why it cannot be sent. Blocks."""
        with self.log.transaction() as cursor:
            found = self._read(cursor, request, now)
        if isinstance(found, Failed):
            return found
        # Outside of the transaction: the first text of a language takes a while.
        desk, reader = found.desk, found.reader
        notice = self._notice(request, found.held, ZoneInfo(desk.timezone))
        message = say(notice, reader.as_reader(desk.timezone), desk.languages[0])
        incident = request.subject if request.about == "review" else ""
        return ByMail(found.key, reader.mailbox, message, incident=incident)

    def _read(
        self, cursor: Cursors, request: OwnerRequest, now: datetime
    ) -> _Letter | Failed:
        policy = policy_now(self.log, cursor)
        if policy is None:
            return _NO_POLICY
        held = self._subject(cursor, request)
        if held is None or not is_needed(request, held, now):
            return _OVER
        if is_removed(cursor, request.owner):
            return Failed(GONE, permanent=True)
        reader = mail_reader(self.log.vault, cursor, request.owner)
        if isinstance(reader, Failed):
            return reader
        if not reader.mailbox.address:
            return Failed(NO_ADDRESS, permanent=False)  # people may be imported later
        label = read_epochs(cursor).newest.label
        key = f"{request.key}@{label}" if label else request.key
        return _Letter(held, reader, policy.desk, key)

    def _subject(
        self, cursor: Cursors, request: OwnerRequest
    ) -> SurveyRecord | Review | None:
        if request.about == "review":
            return review_of(self.log, cursor, request.subject)[0]
        return records_of(self.log, cursor, [request.subject])[request.subject]

    def _notice(
        self, request: OwnerRequest, held: SurveyRecord | Review, zone: ZoneInfo
    ) -> OwnerNotice:
        kind, subject = request.kind, request.subject
        url = self._url(request)
        if request.start is not None and kind in {"not_asked", "not_published"}:
            first = request.start.astimezone(zone).date()
            last = (next_month(first) or first + _DAY) - _DAY
            return SurveyWarning(kind, subject, first, last, url)
        if isinstance(held, Review) and request.action is None:
            return ReviewNotice(kind, subject, _last_day(held.due_at, zone), url)
        action = action_of(request, held)
        notice = ReviewActionNotice if isinstance(held, Review) else SurveyActionNotice
        due = _last_day(action.due_at, zone)
        return notice(kind, subject, action.number, due, action.task, url)

    def _url(self, request: OwnerRequest) -> str:
        subject = quote(request.subject, safe="")
        is_review = request.about == "review"
        page = f"incidents/{subject}/review" if is_review else f"surveys/{subject}"
        return self.public_url and f"{self.public_url}/{page}"


def _last_day(overdue_from: datetime, zone: ZoneInfo) -> date:
    return (overdue_from - _MOMENT).astimezone(zone).date()
