"""Wires the escalation service: follows the log, wakes when due, sends."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
from faststream.nats import NatsBroker
from prometheus_client import CollectorRegistry
from psycopg import OperationalError

from services.escalation.bundles.admission import Admission
from services.escalation.bundles.composer import BundleComposer
from services.escalation.commands import decide_command
from services.escalation.month_report_mail import store as month_report_mail
from services.escalation.month_report_mail.letters import MonthReportLetters
from services.escalation.month_report_mail.store import ReportRequest
from services.escalation.notifications import outbox
from services.escalation.notifications.channels.channel import ChannelContext
from services.escalation.notifications.channels.outlets import Outlets, outlets_of
from services.escalation.notifications.channels.web_push import published_key
from services.escalation.notifications.channels.webhook import forgetful_client
from services.escalation.notifications.composer import Composer
from services.escalation.notifications.contacts import Contacts, callback_links
from services.escalation.notifications.delivery_reports import DeliveryReports
from services.escalation.notifications.dispatcher import (
    LEASE,
    Dispatcher,
    NotificationSender,
)
from services.escalation.notifications.probe import OutboxProbe
from services.escalation.notifications.queued_messages import QueuedMessages
from services.escalation.notifications.recorder import DeliveryRecorder
from services.escalation.notifications.team_channels import TeamChannels
from services.escalation.on_call.recorder import OnCallRecorder
from services.escalation.on_call.worker import LEASE as ON_CALL
from services.escalation.on_call.worker import STALL_SECONDS, OnCallWorker
from services.escalation.on_call_mail import store as on_call_mail
from services.escalation.on_call_mail.letters import OnCallLetters
from services.escalation.on_call_mail.store import MailRequest
from services.escalation.owner_mail import store as owner_mail
from services.escalation.owner_mail.letters import OwnerLetters
from services.escalation.owner_mail.rules import OwnerRequest
from services.escalation.page_tests.recorder import PageTestRecorder
from services.escalation.page_tests.worker import PageTestWorker
from services.escalation.previews.queries import EscalationPreviews
from services.escalation.probe import ExhaustionProbe
from services.escalation.process import BOOKMARK, casework
from services.escalation.rules.case import Case
from services.escalation.rules.context import EscalationContext
from services.escalation.sign_in_mail.letters import Letters
from services.escalation.sign_in_mail.worker import SignInMail
from services.escalation.subscriptions import CommandTakers, Executors, subscribe
from services.escalation.survey_mail import store as survey_mail
from services.escalation.survey_mail.letters import SurveyLetters
from services.escalation.survey_mail.store import SurveyRequest
from shared.clock import Clock
from shared.commands.parked_events import ParkedDesk, of_one
from shared.commands.subscriber import CommandSubscriber
from shared.contact_methods.store import publish_channels
from shared.database.cursors import Cursors
from shared.database.leadership import Candidate
from shared.eventlog.entry import Entry
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.eventlog.readers.service_loop import ServiceLoop, follow
from shared.eventlog.readers.transaction import Apply
from shared.http.networks import proxies
from shared.http.outbound import GuardedTransport
from shared.http.serve import pause
from shared.i18n.catalog import check_languages
from shared.messaging.broker import command_broker, take
from shared.process_manager import Alarm, Worker, timers_probe
from shared.process_manager.command_subscriber import CommandHandler
from shared.security.sender import authentication
from shared.settings import EscalationSettings

EVENTS_A_BATCH = 200
"""Each entry may lead to several events; one transaction appends those of a batch."""
RETRY_SECONDS = 5.0
"""After what time it is tried again to publish the channels."""
WORKERS = 2
"""Threads, and database connections, for commands and for sending."""
_log = structlog.get_logger(__name__)


async def run(settings: EscalationSettings, stop: asyncio.Event) -> None:
    """Run the service until `stop` is set."""
    check_languages()
    with (
        ThreadPoolExecutor(WORKERS, "escalation") as executor,
        ThreadPoolExecutor(1, "previews") as previewing,
    ):
        allowed = proxies(settings.outbound_networks)
        guard = GuardedTransport(allowed)
        async with forgetful_client() as client, forgetful_client(guard) as guarded:
            outlets = outlets_of(ChannelContext(settings, client, guarded))

            def assemble(
                log: EventLog, clock: Clock, registry: CollectorRegistry
            ) -> ServiceLoop:
                broker = command_broker(
                    settings.nats_url.get_secret_value(), "escalation", registry
                )
                executors = Executors(executor, previewing)
                return _assembled(settings, outlets, executors, log, clock, broker)

            await follow(settings, BOOKMARK, assemble, stop)


def _assembled(
    settings: EscalationSettings,
    outlets: Outlets,
    executors: Executors,
    log: EventLog,
    clock: Clock,
    broker: NatsBroker,
) -> ServiceLoop:
    policies = PolicyVersions(log)
    has_webhook = settings.webhook_url is not None
    worker = Worker(casework(log, policies, webhook=has_webhook), log, clock)
    alarm = Alarm(worker, clock)
    worker.changed = alarm.listen()
    recorder = DeliveryRecorder(log, worker, clock, outlets, Admission.within)
    compose = _composer(settings, outlets, log, policies)
    postman = NotificationSender(log, recorder, clock, compose, outlets, executors.main)
    dispatcher = Dispatcher(log, _candidate(settings, log), postman, clock)
    more = _more_workers(settings, outlets, executors.main, log, clock)
    previews = EscalationPreviews(log, clock, has_webhook)
    _subscribe(broker, worker, log, clock, executors, previews)
    return ServiceLoop(
        _applying(worker.apply, dispatcher.listen()),
        (
            timers_probe(BOOKMARK.reader, worker, log, clock),
            OutboxProbe(log, dispatcher, postman, clock),
            *(each.probe for each in more),
            ExhaustionProbe(log),
        ),
        (
            alarm.run,
            dispatcher.run,
            *(each.run for each in more),
            _reports(log, worker, clock, executors.main).run,
            partial(take, broker),
            partial(_keep_published, log, outlets.kinds(), published_key(settings)),
        ),
        EVENTS_A_BATCH,
        worker.pass_over,
        partial(_attach, worker),
    )


def _attach(
    worker: Worker[Case, EscalationContext], wake: Callable[[], object]
) -> None:
    """Let the reader read at once what the clock and commands decide.

    Its requests of messages are in the outbox only then.
    """
    worker.appended = wake


def _reports(
    log: EventLog,
    worker: Worker[Case, EscalationContext],
    clock: Clock,
    executor: ThreadPoolExecutor,
) -> DeliveryReports:
    of_tests = PageTestRecorder(log, clock).reported
    return DeliveryReports(log, worker, clock, executor, of_tests)


def _subscribe(
    broker: NatsBroker,
    worker: Worker[Case, EscalationContext],
    log: EventLog,
    clock: Clock,
    executors: Executors,
    previews: EscalationPreviews,
) -> None:
    senders = authentication(log, clock, executors.main)
    takers = CommandTakers(
        CommandHandler(log, worker, clock, decide_command).take,
        previews.take,
        ParkedDesk(log, of_one(BOOKMARK), executors.main),
    )
    subscriber = CommandSubscriber(broker, senders, BOOKMARK.reader)
    subscribe(subscriber, takers, executors)


def _more_workers(
    settings: EscalationSettings,
    outlets: Outlets,
    executor: ThreadPoolExecutor,
    log: EventLog,
    clock: Clock,
) -> tuple[
    SignInMail,
    OnCallWorker,
    QueuedMessages[MailRequest],
    QueuedMessages[SurveyRequest],
    QueuedMessages[OwnerRequest],
    QueuedMessages[ReportRequest],
    PageTestWorker,
]:
    """Return the workers that follow no events of incidents."""
    dsn = settings.database_url.get_secret_value()
    public_url = (settings.public_url or "").rstrip("/")
    letters = Letters(log, public_url)
    on_call, surveys, owners, reports = (
        OnCallLetters(log, public_url).of,
        SurveyLetters(log, public_url).of,
        OwnerLetters(log, public_url).of,
        MonthReportLetters(log, public_url).of,
    )
    observer = Candidate(dsn, ON_CALL, STALL_SECONDS, log.may_write)
    return (
        SignInMail(letters, outlets, clock, executor),
        OnCallWorker(observer, OnCallRecorder(log, clock)),
        QueuedMessages(on_call_mail.QUEUE, on_call, log, outlets, clock, executor),
        QueuedMessages(survey_mail.QUEUE, surveys, log, outlets, clock, executor),
        QueuedMessages(owner_mail.QUEUE, owners, log, outlets, clock, executor),
        QueuedMessages(month_report_mail.QUEUE, reports, log, outlets, clock, executor),
        PageTestWorker.of(log, public_url, outlets, clock, executor),
    )


def _candidate(settings: EscalationSettings, log: EventLog) -> Candidate:
    dsn = settings.database_url.get_secret_value()
    return Candidate(dsn, LEASE, may_write=log.may_write)


def _composer(
    settings: EscalationSettings,
    outlets: Outlets,
    log: EventLog,
    policies: PolicyVersions,
) -> BundleComposer:
    contacts = Contacts(
        traits=outlets.traits,
        callback_link=callback_links(log.vault, settings.public_url),
    )
    addresses = {
        name: each.get_secret_value() for name, each in settings.team_channels.items()
    }
    team_channels = TeamChannels(addresses, outlets.traits)
    alone = Composer(log, policies, settings.public_url, contacts, team_channels)
    public_url = (settings.public_url or "").rstrip("/")
    return BundleComposer(log, policies, public_url, contacts, team_channels, alone)


def _applying(apply: Apply, more: Callable[[], object]) -> Apply:
    """Return what the reader calls with entries; `more` is called for new requests."""

    def both(cursor: Cursors, entries: Sequence[Entry]) -> None:
        fresh = outbox.follow(cursor, entries)
        apply(cursor, entries)
        if fresh:
            more()

    return both


async def _keep_published(
    log: EventLog, kinds: Sequence[str], web_push_key: str, stop: asyncio.Event
) -> None:
    """Tell intake over which channels this service can send; until `stop` is set.

    Intake accepts contact methods of these kinds only. Processes of one desk have the
    same settings, so it does not matter which of them writes last.
    """
    while not stop.is_set():
        try:
            await asyncio.to_thread(_publish, log, kinds, web_push_key)
        except (Unavailable, OperationalError) as error:
            _log.warning("channels.unpublished", why=str(error))
            await pause(stop, RETRY_SECONDS)
        else:
            await stop.wait()


def _publish(log: EventLog, kinds: Sequence[str], web_push_key: str) -> None:
    with log.transaction() as cursor:
        publish_channels(cursor, kinds, web_push_key)
