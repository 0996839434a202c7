"""Compares a command with the limits of its sender's rights.

Every owner asks this before it decides. What is outside of the limits does not exist
for the sender: the answer is the same as for a record that was never opened.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.database.cursors import Cursors
from shared.directory import entry
from shared.domain.commands.caller import NewCaller
from shared.domain.commands.change import ChangeCommand, RequestChange
from shared.domain.commands.contact_method import ContactMethodCommand
from shared.domain.commands.escalation import EscalationCommand
from shared.domain.commands.escalation_preview import PreviewEscalation
from shared.domain.commands.incident import (
    Attach,
    Classify,
    IncidentCommand,
    Open,
    Unmerge,
)
from shared.domain.commands.intervention import InterventionCommand
from shared.domain.commands.month_report import MonthReportCommand
from shared.domain.commands.on_call import OnCallCommand
from shared.domain.commands.page_explanation import ExplainPages
from shared.domain.commands.page_test import AnswerPageTest, RequestPageTest
from shared.domain.commands.parked_event import ParkedCommand
from shared.domain.commands.person import PersonCommand
from shared.domain.commands.policy_moves import MoveCommand
from shared.domain.commands.problem import IdentifyProblem, ProblemCommand
from shared.domain.commands.review import ReviewCommand
from shared.domain.commands.sla import SlaCommand
from shared.domain.commands.survey import AnswerSurvey, SurveyCommand
from shared.domain.events import is_incident_event
from shared.domain.identifiers import incident_stream
from shared.domain.incident import replay
from shared.domain.limits import Place, only_client
from shared.domain.policy.contracts import UNKNOWN
from shared.domain.record import RecordKind, kind_of
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage, Scope
from shared.security.access import Caller
from shared.security.places import places
from shared.security.rights import is_removed

COMPARED_BY_RULES = (
    PersonCommand
    | OnCallCommand
    | ContactMethodCommand
    | InterventionCommand
    | ExplainPages
    | AnswerSurvey
    | RequestPageTest
    | AnswerPageTest
    | SurveyCommand
    | MonthReportCommand
)
"""Commands of and about people and schedules: their own rules compare the limits."""
ABOUT_NO_RECORD = PreviewEscalation
"""Questions that everybody with the role may ask, whatever their limits."""
COMPARED_AT_RECORDS = (
    IncidentCommand
    | ProblemCommand
    | ChangeCommand
    | EscalationCommand
    | SlaCommand
    | MoveCommand
    | ReviewCommand
    | ParkedCommand
)
"""Commands that are compared here: at the records that they name, or where they put
one. What names none is about all records, which takes rights without limits."""

NAMING = ("into", "target", "follows", "solution", "incident", "problem", "change")
"""The fields in which the body of a command names another record."""


class CommandLimits:
    """Finds the records that a command names in the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def narrowed(
        self, caller: Caller, message: CommandMessage[Any], scopes: Sequence[Scope]
    ) -> Caller:
        """Return the caller with the scopes that they have for all that is named.

        Raises `HttpError`: 404 if the record does not exist or is outside of the
        limits, 422 for another one that the body names, 403 for all else. Blocks.
        """
        body = message.body
        main = message.incident or message.record
        with self._log.transaction() as cursor:
            others = [*_named(body), *self._merged(cursor, body, main)]
            found = places(self._log, cursor, [*([main] if main else []), *others])
            new_callers = only_client(caller.limits_of(*scopes))
            wanted = _wanted(cursor, body, found.get(main or ""), found, new_callers)
        is_own = isinstance(body, COMPARED_BY_RULES | ABOUT_NO_RECORD)
        if not main and not others and wanted is None and not is_own:
            raise _outside("this is about all records")
        allowed = _scopes_for_all(caller, main, others, found)
        if is_own:
            return caller
        if wanted is not None:
            allowed &= _scopes_for(caller, wanted)
        if allowed.isdisjoint(scopes):
            raise _outside("the record would be outside of them")
        return replace(
            caller, grants=tuple(g for g in caller.grants if g.role in allowed)
        )

    def is_removed(self, person: str) -> bool:
        """Return whether a person was removed. Blocks."""
        with self._log.transaction() as cursor:
            return is_removed(cursor, person)

    def _merged(self, cursor: Cursors, body: object, main: str | None) -> list[str]:
        """Return the incident that undoing a merge changes, too."""
        if main is None or not isinstance(body, Unmerge):
            return []
        history = self._log.histories(cursor, [incident_stream(main)])
        held = replay(e.event for e in history if is_incident_event(e.event))
        return [held.merged_into] if held and held.merged_into else []


def no_record(ref: str) -> HttpError:
    """Return the answer about a record that does not exist for the caller."""
    kind: RecordKind = kind_of(ref)
    return HttpError(404, f"there is no {kind} {ref}", code=f"unknown_{kind}")


def _outside(why: str) -> HttpError:
    return HttpError(
        403,
        f"your rights are limited to some clients, services or teams, and {why}: "
        "name one of yours, or ask somebody without limits",
        code="limits",
    )


def _named(body: object) -> Iterator[str]:
    for name in NAMING:
        ref = getattr(body, name, None)
        if isinstance(ref, str) and ref[:4] in {"INC-", "PRB-", "CHG-"}:
            yield ref


def _scopes_for_all(
    caller: Caller, main: str | None, others: Sequence[str], found: Mapping[str, Place]
) -> frozenset[Scope]:
    """Return the scopes for all records of a command; raises `HttpError` for none."""
    allowed = frozenset(caller.scopes)
    if main is not None:
        allowed &= _scopes_at(caller, found.get(main))
        if not allowed:
            raise no_record(main)
    for ref in others:
        allowed &= _scopes_at(caller, found.get(ref))
        if not allowed:
            raise HttpError(422, f"there is no {ref}", code="unknown_target")
    return allowed


def _scopes_at(caller: Caller, place: Place | None) -> frozenset[Scope]:
    return frozenset(caller.scopes_at(place) if place else ())


def _scopes_for(caller: Caller, place: Place) -> frozenset[Scope]:
    """Return the scopes for a record at this place, whichever team gets it.

    Anybody may hand a record to another team, and may report what another team will
    work on.
    """
    return frozenset(
        scope
        for scope in caller.scopes
        if (within := caller.limits_of(scope)) is None
        or any(each.without_teams().covers(*place) for each in within)
    )


def _wanted(
    cursor: Cursors,
    body: object,
    now: Place | None,
    found: Mapping[str, Place],
    new_callers: str | None,
) -> Place | None:
    """Return where the command puts a record; None if that does not change.

    `new_callers`: the client of a new caller whose client it does not name. Who is
    entered in the directory has to be within the limits, too.
    """
    match body:
        case Open(service=service, client=client, caller=NewCaller() as new):
            theirs = client or new.client or new_callers
            return Place(theirs, service or UNKNOWN, None)
        case Attach(caller=NewCaller() as new) if now is not None:
            return Place(new.client or new_callers, now.service, None)
        case Open(service=service, client=client, reporter=reporter):
            if client is None and reporter is not None:
                known = entry(cursor, reporter)
                client = known.client if known else None
            return Place(client, service or UNKNOWN, None)
        case Classify(service=service, client=client) if now is not None:
            return Place(client or now.client, service or now.service, None)
        case (
            IdentifyProblem(service=service, incident=ref)
            | RequestChange(service=service, incident=ref)
        ):
            of = found.get(ref or "", Place(None, UNKNOWN, None))
            return Place(of.client, service or of.service, None)
        case _:
            return None
