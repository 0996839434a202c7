"""All that intake takes over NATS: commands, with who may send them, and signals."""

import asyncio
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry

from services.intake.assembly import Parts
from services.intake.auto_close.subscriber import BOOKMARK
from services.intake.commands.subscriber import listen
from services.intake.contact_methods.store import ContactMethodDesk
from services.intake.inbound_mail.subscriber import listen_for_reports
from services.intake.interventions.store import InterventionDesk
from services.intake.month_reports.store import MonthReportDesk
from services.intake.nats_sources.auth_callout import (
    Authorization,
    accepting,
    listen_for_connections,
)
from services.intake.on_call.store import OnCallDesk
from services.intake.page_explanations.store import ExplanationDesk
from services.intake.page_tests.store import PageTestDesk
from services.intake.people.store import PeopleAnswer, PeopleDesk
from services.intake.policy.store import Policies
from services.intake.reviews.store import ReviewDesk
from services.intake.source_api.subscriber import keep_listening, listen_for_signals
from services.intake.survey_results.store import SurveyResultsDesk
from services.intake.surveys.commands import SurveyDesk
from shared.commands.parked_events import (
    ParkedDesk,
    listen_for_parked_events,
    of_one,
)
from shared.commands.subscriber import CommandSet, CommandSubscriber
from shared.domain.commands import (
    contact_method,
    intervention,
    month_report,
    on_call,
    page_explanation,
    page_test,
    person,
    review,
    survey,
)
from shared.domain.commands.person import (
    CorrectPerson,
    SyncPeople,
)
from shared.messaging.address import nats_address
from shared.messaging.broker import command_broker, started
from shared.messaging.broker import stop as stop_broker
from shared.messaging.commands import CommandRequest
from shared.security.nats_issuer import Issuer
from shared.security.sender import GIVERS, READERS
from shared.settings import IntakeSettings

QUEUE_GROUP = "intake"

Take = Callable[[CommandRequest[Any]], object]

_SYNCHRONISATION = CommandSet((SyncPeople,), PeopleAnswer, at_once=4, scopes=GIVERS)
_CORRECTIONS = CommandSet((CorrectPerson,), PeopleAnswer, at_once=4)
_PEOPLE = CommandSet(
    [
        body
        for body in person.BODIES.values()
        if body not in {SyncPeople, CorrectPerson}
    ],
    PeopleAnswer,
    at_once=4,
    scopes=GIVERS,
)
_CONTACT_METHODS = CommandSet(
    contact_method.BODIES.values(), contact_method.ContactMethodAnswer, at_once=4
)
_ON_CALL = CommandSet(
    on_call.BODIES.values(), on_call.OnCallAnswer, at_once=4, previews=True
)
_INTERVENTIONS = CommandSet(
    intervention.BODIES.values(), intervention.InterventionAnswer, at_once=2
)
_PAGE_TESTS = CommandSet(
    (page_test.RequestPageTest,), page_test.PageTestAnswer, at_once=2
)
_PAGE_TEST_ANSWERS = CommandSet(
    (page_test.AnswerPageTest,), page_test.PageTestConfirmation, at_once=2
)
_PAGE_EXPLANATIONS = CommandSet(
    page_explanation.BODIES.values(),
    page_explanation.ExplanationAnswer,
    at_once=2,
    scopes=READERS,
)
_SURVEY_ANSWERS = CommandSet((survey.AnswerSurvey,), survey.SurveyAnswer, at_once=2)
_SURVEY_RESULTS = CommandSet(
    survey.BODIES.values(), survey.SurveyRecordAnswer, at_once=1
)
_MONTH_REPORTS = CommandSet(
    month_report.BODIES.values(), month_report.MonthReportAnswer, at_once=1
)
_REVIEWS = CommandSet(review.BODIES.values(), review.ReviewAnswer, at_once=2)


def subscribe(subscriber: CommandSubscriber, parts: Parts) -> None:
    """Subscribe to every command of intake, and to the reports of the form."""
    executor = parts.context.executor
    listen(subscriber, parts.commands)
    listen_for_reports(subscriber.broker, subscriber.queue_group, parts.letters)
    parked = ParkedDesk(parts.log, of_one(BOOKMARK), executor)
    listen_for_parked_events(subscriber, parked, "incident")
    subscriber.subscribe(_SYNCHRONISATION, parts.outside.synchronise)
    for commands, take in _takers(parts):
        subscriber.subscribe_blocking(commands, take, executor)


def _takers(parts: Parts) -> list[tuple[CommandSet, Take]]:
    """Return what each room takes, in a thread."""
    log, clock, policies = parts.log, parts.clock, Policies(parts.log)
    people, page_tests = (
        PeopleDesk(log, policies, clock),
        PageTestDesk(log, policies, clock),
    )
    return [
        (_PEOPLE, people.take),
        (_CORRECTIONS, people.take),
        (_CONTACT_METHODS, ContactMethodDesk(log, policies, clock).take),
        (_ON_CALL, OnCallDesk(log, policies, clock).take),
        (_INTERVENTIONS, InterventionDesk(log, clock).take),
        (_PAGE_TESTS, page_tests.take),
        (_PAGE_TEST_ANSWERS, page_tests.take_answer),
        (_PAGE_EXPLANATIONS, ExplanationDesk(log, policies, clock).take),
        (_SURVEY_ANSWERS, SurveyDesk(log, clock).take),
        (_SURVEY_RESULTS, SurveyResultsDesk(log, policies, clock).take),
        (_MONTH_REPORTS, MonthReportDesk(log, policies, clock).take),
        (_REVIEWS, ReviewDesk(log, policies, clock).take),
    ]


async def take_messages(
    settings: IntakeSettings,
    registry: CollectorRegistry,
    parts: Parts,
    stop: asyncio.Event,
) -> None:
    """Take commands and signals from NATS whenever it is reachable."""
    url = settings.nats_url.get_secret_value()
    broker = command_broker(url, QUEUE_GROUP, registry)
    keys, in_force = parts.gate.keys, parts.in_force
    if (seed := settings.nats_issuer_seed) is not None:
        issuer = Issuer.of(seed.get_secret_value())
        authorization = Authorization(keys, in_force, issuer, parts.clock)
        listen_for_connections(broker, QUEUE_GROUP, authorization)
    subscribe(CommandSubscriber(broker, parts.authentication, QUEUE_GROUP), parts)
    try:
        if await started(broker, stop):
            signals = listen_for_signals(
                broker,
                parts.reception,
                accepting(keys, in_force),
                parts.gate.wait,
                nats_address(url).inbox_prefix,
            )
            await keep_listening(signals, stop)
    finally:
        await stop_broker(broker)
