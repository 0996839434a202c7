"""Processes commands about month reports: read, decide, append, answer. Blocks."""

from dataclasses import dataclass
from typing import Any, assert_never

from services.intake.attempts import (
    append,
    decided,
    journalled,
    recorded_before,
    require_version,
)
from services.intake.month_reports import rules
from services.intake.month_reports.rules import Author
from services.intake.policy.store import Policies
from shared.clock import Clock
from shared.commands.refusals import digest_of
from shared.database.cursors import Cursors
from shared.directory import entry
from shared.domain.commands.month_report import (
    ApproveMonthReport,
    CommentMonthReport,
    MonthReportAnswer,
    MonthReportCommand,
    PublishMonthReport,
)
from shared.domain.events.month_report import MonthReportEvent
from shared.domain.identifiers import month_report_stream
from shared.domain.month_report import MonthReport
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.messaging.commands import CommandRequest
from shared.month_reports import report_of


@dataclass(frozen=True)
class MonthReportDesk:
    """Takes comments, approves reports and publishes them."""

    log: EventLog
    policies: Policies
    clock: Clock

    def take(self, request: CommandRequest[Any]) -> MonthReportAnswer:
        """Return the outcome of a command; raises `HttpError`, `Unavailable`."""
        command: MonthReportCommand = request.body
        note = journalled(request, f"{command.client}.{command.month}", self.clock)
        return decided(self.log, lambda cursor: self._attempt(cursor, request), note)

    def _attempt(
        self, cursor: Cursors, request: CommandRequest[Any]
    ) -> MonthReportAnswer:
        command: MonthReportCommand = request.body
        held = report_of(self.log, cursor, command.client, command.month)
        # The figures are not what the sender says: a repeat may come with newer ones.
        said = command.model_dump_json(exclude={"figures"}, exclude_unset=True)
        digest = digest_of(command.aggregate, command.verb, said)
        before = recorded_before(cursor, request.command_id, digest)
        if before is not None:
            return _answer(command, "repeated", held.version, [*before])
        require_version(request.if_match, held.version)
        event = self._decided(cursor, command, held, self._author(cursor, request))
        if event is None:
            return _answer(command, "already", held.version, [])
        stream = month_report_stream(command.client, command.month)
        version = held.version + 1
        stored = self.log.stored(stream, version, event, request.command_id)
        unit = AppendUnit((stored,), request.command_id, digest)
        positions = append(self.log, cursor, unit)
        edition = getattr(event, "edition", None)
        return _answer(command, "recorded", version, [*positions], edition)

    def _author(self, cursor: Cursors, request: CommandRequest[Any]) -> Author:
        rights = {scope: request.limits.get(scope) for scope in request.scopes}
        version, policy = self.policies.current(cursor)
        return Author(request.actor, self.clock(), rights, policy, version)

    def _decided(
        self,
        cursor: Cursors,
        command: MonthReportCommand,
        held: MonthReport,
        who: Author,
    ) -> MonthReportEvent | None:
        match command:
            case CommentMonthReport():
                return rules.commented(command, held, who)
            case ApproveMonthReport():
                return rules.approved(command, held, who)
            case PublishMonthReport(client=client):
                known = [entry(cursor, each) for each in who.terms.recipients(client)]
                clients = {each.id: each.client for each in known if each}
                return rules.published(command, held, who, clients)
            case _:
                assert_never(command)


def _answer(
    command: MonthReportCommand,
    outcome: str,
    version: int,
    positions: list[int],
    edition: int | None = None,
) -> MonthReportAnswer:
    return MonthReportAnswer.model_validate(
        {
            "outcome": outcome,
            "client": command.client,
            "month": command.month,
            "edition": edition,
            "version": version,
            "positions": positions,
        }
    )
