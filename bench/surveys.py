"""How fast users are asked about closed incidents, and how fast they can answer.

`python -m bench.surveys [--invitations N] [--answers N] [--json]`. Intake reads
closures and decides invitations; escalation reads these, requests the mail and composes
it; then users answer. Each by the code of its service, on a real database, in this
process, and without a mail server. Every user is asked about one incident.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from time import perf_counter
from typing import Annotated, Any

import psycopg
import typer

from bench.desk import PROMISING
from bench.figure import Figure, show
from services.escalation.notifications.channels.parcel import ByMail
from services.escalation.survey_mail.letters import SurveyLetters
from services.escalation.survey_mail.store import QUEUE, note
from services.intake.log_follower import batch_handler
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from services.intake.surveys.commands import SurveyDesk
from shared.domain.commands.survey import AnswerSurvey
from shared.domain.events.incident import (
    IncidentClosed,
    IncidentOpened,
    IncidentResolved,
)
from shared.domain.events.survey import SurveyInvited
from shared.domain.identifiers import incident_ref, incident_stream
from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.messaging.commands import CommandRequest
from tests.support.desks.running import MASTER
from tests.support.folders import reachable_folder
from tests.support.servers.servers import Database, running_postgres

INVITATIONS = 100_000
ANSWERS = 2_000
"""Mails that are composed, and answers that are taken, each in a transaction."""
BATCH = 200
"""Events that a service reads in one transaction."""
SURVEY = """
surveys:
  after:
    audience: users
    expires_days: 10
    questions: {v1: [{id: ok, en: "Are you satisfied?"}]}
    owner: sylvie
"""
SIGNED = Signature(by="root", reason="to measure")
NOW = datetime.now(UTC)
_BY: dict[str, Any] = {"at": NOW, "by": "person:nadia", "policy": 1}
_PEOPLE = """
INSERT INTO directory.people (id, name, email, language, updated_at, confirmed)
SELECT 'user-' || n, 'User ' || n, 'user-' || n || '@ville.example', 'en', now(), true
FROM generate_series(1, %s) AS n
"""


def main(
    invitations: Annotated[int, typer.Option(help="Closed incidents.")] = INVITATIONS,
    answers: Annotated[int, typer.Option(help="Mails, and answers.")] = ANSWERS,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure and print."""
    with (
        reachable_folder(on_disk=True) as folder,
        running_postgres(folder) as postgres,
    ):
        database = postgres.fresh_database()
        dsn = database.owner_dsn
        with closing(EventLog.open(dsn, master=MASTER, pool_size=2)) as log:
            found = list(figures(log, database, invitations, answers))
    show("surveys", f"{invitations:,} closed incidents", found, as_json=as_json)


def figures(
    log: EventLog, database: Database, invitations: int, answers: int
) -> Iterator[Figure]:
    """Measure each step after the one before."""
    prepared(log, database, invitations)
    begins = log.head().position
    recorded = _a_second(invitations, lambda: closures(log, invitations))
    closed = log.head().position
    decoded = _a_second(3 * invitations, lambda: sum(map(len, read(log, begins))))
    decide = batch_handler(log, lambda: NOW)
    decided = _a_second(invitations, lambda: followed(log, begins, closed, decide))
    yield Figure(
        "invitations decided",
        decided,
        "/s",
        bound=recorded,
        beside="the same incidents, opened, resolved and closed",
        note=f"read and decoded alone: {decoded / 3:,.0f}/s",
    )
    asked = [e.event for part in read(log, closed) for e in part]
    invited = [each for each in asked if isinstance(each, SurveyInvited)]
    assert len(invited) == invitations, len(invited)
    upto = log.head().position
    requested = _a_second(invitations, lambda: followed(log, closed, upto, request))
    yield Figure("mails requested", requested, "/s", bound=recorded, beside="likewise")
    few = invited[:answers]
    alone = _a_second(len(few), lambda: recorded_alone(log, len(few), invitations))
    composed = _a_second(len(few), lambda: mails(log, len(few)))
    beside = "one event, appended in a transaction of its own"
    yield Figure("mails composed", composed, "/s", bound=alone, beside=beside)
    taken = _a_second(len(few), lambda: answered(log, few))
    yield Figure("answers taken", taken, "/s", bound=alone, beside=beside)


def prepared(log: EventLog, database: Database, people: int) -> None:
    """Apply a policy with a survey, and put the users into the directory."""
    text = PROMISING.policy.read_text(encoding="utf-8") + SURVEY
    applied = policy_store.apply(log, text, SIGNED, NOW)
    assert isinstance(applied, Applied), applied
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute(_PEOPLE, (people,))


def closures(log: EventLog, wanted: int) -> None:
    """Record incidents of different users, each from its call to its end."""
    numbers = range(1, wanted + 1)
    for start in range(0, wanted, BATCH):
        units = [_closure(log, number) for number in numbers[start : start + BATCH]]
        with log.transaction() as cursor:
            log.append(cursor, units)


def _opened(number: int) -> IncidentOpened:
    return IncidentOpened(
        **_BY,
        incident=incident_ref(number),
        origin="user",
        title="no mail",
        service="web",
        impact="low",
        urgency="low",
        priority="p4",
        team="desk",
        reporter=f"user-{number}",
        channel="phone",
        reported_at=NOW,
        whose=f"person:user-{number % 100}",
    )


def _closure(log: EventLog, number: int) -> AppendUnit:
    ref = incident_ref(number)
    events = (
        _opened(number),
        IncidentResolved(**_BY, incident=ref, cycle=1),
        IncidentClosed(**_BY, incident=ref),
    )
    stream = incident_stream(ref)
    stored = (log.stored(stream, n, each) for n, each in enumerate(events, 1))
    return AppendUnit(tuple(stored))


def read(log: EventLog, position: int) -> Iterator[Sequence[Entry]]:
    """Yield what follows a position, as services read it."""
    while part := log.since(position, BATCH):
        yield part
        position = part[-1].position


def followed(
    log: EventLog,
    position: int,
    upto: int,
    apply: Callable[[Any, Sequence[Entry]], object],
) -> None:
    """Let a service follow the log in batches, each in a transaction."""
    while position < upto and (part := log.since(position, BATCH)):
        with log.transaction() as cursor:
            apply(cursor, part)
        position = part[-1].position


def request(cursor: Any, entries: Sequence[Entry]) -> None:  # noqa: ANN401 # of psycopg
    """Request the mail of invitations, as escalation does."""
    for entry in entries:
        note(cursor, entry)


def recorded_alone(log: EventLog, wanted: int, after: int) -> None:
    """Append single events."""
    for number in range(after + 1, after + wanted + 1):
        event = _opened(number)
        unit = AppendUnit((log.stored(incident_stream(event.incident), 1, event),))
        with log.transaction() as cursor:
            log.append(cursor, [unit])


def mails(log: EventLog, wanted: int) -> None:
    """Take requests and compose their mail, as its sender does."""
    letters = SurveyLetters(log, "https://desk.example")
    for _ in range(wanted):
        with log.transaction() as cursor:
            taken = QUEUE.take(cursor, NOW)
        assert taken is not None
        mail = letters.of(taken, NOW)
        assert isinstance(mail, ByMail), mail
        with log.transaction() as cursor:
            QUEUE.over(cursor, taken, "250")


def answered(log: EventLog, invited: Sequence[SurveyInvited]) -> None:
    """Let users answer, one after the other."""
    desk = SurveyDesk(log, lambda: NOW)
    for each in invited:
        body = AnswerSurvey(
            invitation=each.incident, choices={"ok": 5}, comment="Thanks"
        )
        actor = f"person:{each.person}"
        desk.take(CommandRequest[Any](actor=actor, scopes=(), body=body))


def _a_second(count: int, work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return count / (perf_counter() - began)


if __name__ == "__main__":
    typer.run(main)
