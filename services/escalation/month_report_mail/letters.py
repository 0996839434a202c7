"""Turns a request into a mail with the link to a published month report."""

from dataclasses import dataclass
from datetime import date, datetime

from services.escalation.month_report_mail.store import ReportRequest
from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.notifications.channels.retry import Failed
from services.escalation.notifications.recall import Person, person
from services.escalation.survey_mail.letters import IMPOSSIBLE
from shared.database.cursors import Cursors
from shared.domain.month_report import Edition
from shared.domain.policy.teams import Desk
from shared.eventlog.epochs import read_epochs
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.i18n.messages import say
from shared.i18n.user_notices import MonthReportNotice
from shared.month_reports import edition_named, is_contact, valid_until
from shared.security.signed_links import REPORT_LINKS_PURPOSE, ReportLink, token_of

NO_CONTACT = Failed("not a contact of this client any more", permanent=True)
LATE = Failed("the link would have expired", permanent=True)


@dataclass(frozen=True)
class MonthReportLetters:
    """Composes mail; `public_url` is where people open the desk, or empty."""

    log: EventLog
    public_url: str

    def of(self, request: ReportRequest, now: datetime) -> ByMail | Failed:
        """Return the mail of a request, or why it cannot be sent. Blocks."""
        signing = self.log.vault.key_for(REPORT_LINKS_PURPOSE)
        if not self.public_url or signing is None:
            return IMPOSSIBLE
        with self.log.transaction() as cursor:
            found = self._read(cursor, request)
        if isinstance(found, Failed):
            return found
        # Outside of the transaction: the first text of a language takes a while.
        edition, reader, desk, key = found
        until = valid_until(edition)
        if now >= until:
            return LATE
        token = token_of(signing, ReportLink(request.edition, request.person, until))
        notice = MonthReportNotice(
            date.fromisoformat(f"{edition.published.month}-01"),
            f"{self.public_url}/month-report/{token}",
            until,
            corrects=edition.published.corrects or 0,
        )
        message = say(notice, reader.as_reader(desk.timezone), desk.languages[0])
        return ByMail(key, reader.mailbox, message)

    def _read(
        self, cursor: Cursors, request: ReportRequest
    ) -> tuple[Edition, Person, Desk, str] | Failed:
        policy = policy_now(self.log, cursor)
        edition = edition_named(self.log, cursor, request.edition)
        reader = person(cursor, request.person)
        if (
            policy is None
            or edition is None
            or reader is None
            or not is_contact(cursor, policy, edition, request.person)
        ):
            return NO_CONTACT
        label = read_epochs(cursor).newest.label
        key = f"{request.key}@{label}" if label else request.key
        return edition, reader, policy.desk, key
