"""Users are asked once about a closed incident, and answer once: on a real log."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from services.intake.client_surveys.worker import ClientSurveys
from services.intake.log_follower import batch_handler
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Policies, Signature
from services.intake.survey_results.store import SurveyResultsDesk
from services.intake.survey_results.worker import SurveyWarnings
from services.intake.surveys.commands import SurveyDesk
from shared.domain.commands.incident import Close, Open, Reopen, Resolve
from shared.domain.commands.problem import IdentifyProblem
from shared.domain.commands.survey import AnswerSurvey, PublishSurvey, SurveyAnswer
from shared.domain.events.handover import HandoverJoined
from shared.domain.events.survey import SurveyInvited
from shared.domain.events.survey.results import SurveyPublished, SurveyWarned
from shared.domain.identifiers import (
    handover_stream,
    incident_stream,
    survey_results_stream,
    survey_stream,
)
from shared.domain.survey.periods import day_begins, next_month
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest
from shared.security.signed_links import SurveyLink
from shared.security.survey_links import invitation_of
from shared.surveys.results import results_in
from tests.integration.intake.commands.test_commands import INC, done
from tests.integration.intake.commands.test_problems_and_changes import PRB
from tests.integration.intake.commands.test_problems_and_changes import (
    done as to_problem,
)
from tests.integration.intake.conftest import NOW, POLICY, Hands
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

SECOND = "INC-000002"
ZONE = ZoneInfo("UTC")
SURVEY = """
surveys:
  after:
    audience: users
    per_user_days: 1
    expires_days: 10
    questions: {v1: [{id: ok, en: "Are you satisfied?"}]}
    owner: manager
  clients:
    audience: clients
    contacts: {acme: [lefevre, nobody]}
    when: {every_months: 3, from: 2025-01-01}
    expires_days: 30
    questions: {v1: [{id: ok, en: "Do we keep our promises?"}]}
    owner: manager
"""


@pytest.fixture
def asking(ruled: Database, owner: EventLog, hands: Hands) -> Hands:
    """Give a desk with a survey, whose directory has Lefèvre's address."""
    text = POLICY.read_text(encoding="utf-8") + SURVEY
    signature = Signature(by="root", reason="ask users")
    assert isinstance(policy_store.apply(owner, text, signature, NOW, "test"), Applied)
    put(ruled, "lefevre")
    return hands


def put(database: Database, person: str) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(
            "INSERT INTO directory.people (id, name, email, updated_at, confirmed)"
            " VALUES (%s, %s, %s, %s, true)",
            (person, person, f"{person}@ville.example", NOW),
        )


def closed(hands: Hands, ref: str, reporter: str = "lefevre") -> None:
    done(hands, Open(title="No mail", reporter=reporter, channel="email"), None)
    done(hands, Resolve(note="rebooted"), ref)
    done(hands, Close(), ref)


def follow(hands: Hands, now: datetime = NOW) -> None:
    """Let the reader apply the whole log, as if it began again."""
    apply = batch_handler(hands.log, lambda: now)
    entries = hands.log.since(0, 1_000)
    with hands.log.transaction() as cursor:
        apply(cursor, entries)


def invitations(hands: Hands, *refs: str) -> list[SurveyInvited]:
    found = [e.event for ref in refs for e in hands.log.history(survey_stream(ref))]
    return [each for each in found if isinstance(each, SurveyInvited)]


def answered(
    hands: Hands, choice: int = 5, now: datetime = NOW, actor: str = "person:lefevre"
) -> SurveyAnswer:
    body = AnswerSurvey(invitation=INC, choices={"ok": choice}, comment="Merci Paul")
    desk = SurveyDesk(hands.log, lambda: now)
    return desk.take(CommandRequest[Any](actor=actor, scopes=(), body=body))


def test_nobody_is_invited_twice_whatever_is_read_again(asking: Hands) -> None:
    closed(asking, INC)
    for _ in range(3):
        follow(asking)

    done(asking, Reopen(reason="it is back"))
    done(asking, Resolve(note="again"))
    done(asking, Close())
    follow(asking, NOW + timedelta(days=2))

    (invited,) = invitations(asking, INC)
    assert (invited.person, invited.survey, invited.channel) == (
        "lefevre",
        "after",
        "email",
    )


def test_one_batch_links_a_problem_and_invites_in_one_append(
    asking: Hands, owner: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append locks the end of the log: nothing is read after it."""
    closed(asking, INC)
    done(asking, Open(title="No mail"), None)
    to_problem(asking, IdentifyProblem(title="The switch"), None)
    stream = handover_stream(SECOND)
    joined = HandoverJoined(
        incident=SECOND,
        at=NOW,
        by="system:escalation",
        problem=PRB,
        matched="signature",
        to_be_confirmed=False,
    )
    owner.record(stream, 0, [joined])
    sizes: list[int] = []
    append = EventLog.append

    def noted(log: EventLog, cursor: Any, units: Any) -> Any:
        sizes.append(len(units))
        return append(log, cursor, units)

    monkeypatch.setattr(EventLog, "append", noted)
    follow(asking)

    linked = asking.log.history(incident_stream(SECOND))[-1]
    assert (len(invitations(asking, INC)), linked.type) == (1, "incident.linked")
    (size,) = sizes
    assert size > 1


def test_a_user_is_asked_about_one_of_several_incidents(asking: Hands) -> None:
    closed(asking, INC)
    closed(asking, SECOND)
    follow(asking)
    follow(asking)

    assert len(invitations(asking, INC, SECOND)) == 1


def test_a_link_counts_for_its_own_invitation_only(asking: Hands) -> None:
    """A restored log gives references again, and with them invitations."""
    closed(asking, INC)
    follow(asking)
    (invited,) = invitations(asking, INC)
    link = SurveyLink(INC, "lefevre", invited.expires_at)

    with asking.log.transaction() as cursor:
        assert invitation_of(asking.log, cursor, link).ref == INC
        later = link._replace(until=link.until + timedelta(days=1))
        with pytest.raises(HttpError) as void:
            invitation_of(asking.log, cursor, later)
    assert void.value.details.code == "unknown_link"


def test_who_cannot_be_written_to_is_not_asked(asking: Hands, ruled: Database) -> None:
    closed(asking, INC, "unknown")
    closed(asking, SECOND)
    with psycopg.connect(ruled.owner_dsn) as connection:
        connection.execute("UPDATE directory.people SET email = NULL")
    follow(asking)

    assert invitations(asking, INC, SECOND) == []


def test_an_old_closure_is_not_asked_about(asking: Hands) -> None:
    closed(asking, INC)
    follow(asking, NOW + timedelta(days=4))

    assert invitations(asking, INC) == []


def test_the_first_answer_counts_and_its_words_are_sealed(
    asking: Hands, ruled: Database
) -> None:
    closed(asking, INC)
    follow(asking)

    assert answered(asking).outcome == "recorded"
    assert answered(asking, choice=1).outcome == "already"

    _, answer = asking.log.history(survey_stream(INC))
    assert answer.event.choices == {"ok": 5}  # type: ignore[union-attr]
    with psycopg.connect(ruled.owner_dsn) as connection:
        stored = connection.execute(
            "SELECT convert_from(state, 'UTF8') FROM log.events WHERE topic = %s",
            ("survey.answered",),
        ).fetchone()
    assert stored is not None
    assert "Merci" not in stored[0]


@pytest.mark.parametrize(
    ("actor", "days", "status"),
    [("person:odette", 1, 404), ("person:lefevre", 10, 409)],
)
def test_an_answer_of_somebody_else_or_too_late_is_refused(
    asking: Hands, actor: str, days: int, status: int
) -> None:
    closed(asking, INC)
    follow(asking)

    with pytest.raises(HttpError) as refused:
        answered(asking, now=NOW + timedelta(days=days), actor=actor)

    assert refused.value.details.status == status


def test_published_results_are_what_the_log_gives_again_whatever_is_read_twice(
    asking: Hands,
) -> None:
    closed(asking, INC)
    follow(asking)
    answered(asking)
    follow(asking)
    recorded_at = asking.log.history(survey_stream(INC))[-1].recorded_at
    first = recorded_at.astimezone(ZONE).date().replace(day=1)
    until = next_month(first)
    assert until is not None
    later = day_begins(until, ZONE) + timedelta(hours=8)
    desk = SurveyResultsDesk(asking.log, Policies(asking.log), lambda: later)
    body = PublishSurvey.model_validate(
        {"survey": "after", "from": first.isoformat(), "to": until.isoformat()}
    )
    request = CommandRequest[Any](actor="person:manager", scopes=("agent",), body=body)

    assert [desk.take(request).outcome for _ in range(2)] == ["recorded", "already"]

    (entry,) = asking.log.history(survey_results_stream("after"))
    assert isinstance(entry.event, SurveyPublished)
    assert (entry.event.results.invited, entry.event.results.n) == (1, 1)
    assert entry.event.results.satisfied is None
    period = (entry.event.start, entry.event.end)
    with asking.log.transaction() as cursor:
        again = results_in(asking.log, cursor, "after", period, entry.event.min_answers)
    assert again == entry.event.results


def test_a_month_in_which_nobody_was_asked_is_warned_of_once(asking: Hands) -> None:
    first = asking.log.head().recorded_at.astimezone(ZONE).date().replace(day=1)
    begins = next_month(first)
    assert begins is not None
    ends = next_month(begins)
    assert ends is not None
    later = day_begins(ends, ZONE) + timedelta(days=1)
    worker = SurveyWarnings(asking.log, lambda: later)

    assert [worker.look(), worker.look()] == [1, 0]

    (entry,) = asking.log.history(survey_results_stream("after"))
    assert isinstance(entry.event, SurveyWarned)
    assert (entry.event.kind, entry.event.owner) == ("not_asked", "manager")
    assert entry.event.start == day_begins(begins, ZONE)


def test_a_contact_of_a_client_is_asked_once_in_a_period_and_answers_once(
    asking: Hands,
) -> None:
    """Whatever is looked at again, also by a process that died in between."""
    begins = datetime(2025, 7, 1, 6, tzinfo=ZONE)
    for now in (begins, begins, begins + timedelta(days=2)):
        ClientSurveys(asking.log, partial(min, now, now)).look()
    ref = "SVY-clients.20250701.lefevre"
    body = AnswerSurvey(invitation=ref, choices={"ok": 4}, comment="Merci Paul")
    request = CommandRequest[Any](actor="person:lefevre", scopes=(), body=body)
    desk = SurveyDesk(asking.log, lambda: begins + timedelta(days=1))

    assert [desk.take(request).outcome for _ in range(2)] == ["recorded", "already"]

    invited, answer = asking.log.history(survey_stream(ref))
    assert [invited.event.type, answer.event.type] == [
        "survey.contact_invited",
        "survey.contact_answered",
    ]
    closes = ClientSurveys(asking.log, lambda: begins + timedelta(days=40))
    assert [closes.look(), closes.look()] == [1, 0]
    happened = asking.log.history(survey_results_stream("clients"))
    assert [each.type for each in happened] == ["survey.opened", "survey.closed"]
    period = (invited.recorded_at - timedelta(days=1), begins + timedelta(days=9999))
    with asking.log.transaction() as cursor:
        link = SurveyLink(ref, "lefevre", invited.event.expires_at)  # type: ignore[union-attr]
        assert invitation_of(asking.log, cursor, link).is_answered
        found = results_in(asking.log, cursor, "clients", period, 1)
    assert (found.invited, found.responded, found.n, found.satisfied) == (1, 1, 1, 1)
    assert [(each.by, each.name, each.n) for each in found.groups] == [
        ("client", "acme", 1)
    ]


def test_another_time_zone_of_the_desk_asks_nobody_again(
    asking: Hands, owner: EventLog
) -> None:
    begins = datetime(2025, 7, 1, 12, tzinfo=ZONE)
    surveys = ClientSurveys(asking.log, lambda: begins)
    assert surveys.look() == 2
    text = POLICY.read_text(encoding="utf-8") + SURVEY
    apply_policy(
        owner, text.replace("  timezone: UTC", "  timezone: America/Montreal", 1)
    )

    assert surveys.look() == 0


def test_a_survey_that_is_taken_out_of_the_policy_closes_as_announced(
    asking: Hands, owner: EventLog
) -> None:
    begins = datetime(2025, 7, 1, 12, tzinfo=ZONE)
    assert ClientSurveys(asking.log, lambda: begins).look() == 2
    apply_policy(owner, POLICY.read_text(encoding="utf-8"))

    for days in (1, 40, 41):
        now = begins + timedelta(days=days)
        ClientSurveys(asking.log, partial(min, now, now)).look()

    happened = asking.log.history(survey_results_stream("clients"))
    assert [each.type for each in happened] == ["survey.opened", "survey.closed"]


def apply_policy(owner: EventLog, text: str) -> None:
    signature = Signature(by="root", reason="another policy")
    applied = policy_store.apply(owner, text, signature, NOW, "test")
    assert isinstance(applied, Applied)
