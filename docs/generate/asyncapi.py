"""Writes docs/reference/asyncapi.json: commands and signals taken, events published."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from inspect import getdoc
from pathlib import Path
from typing import Any, cast

from faststream.nats import NatsBroker
from faststream.specification.asyncapi import AsyncAPI
from prometheus_client import CollectorRegistry

from services.escalation.previews.subscriber import listen_for_previews
from services.intake.commands.pending_command import PendingCommand
from services.intake.commands.subscriber import listen
from services.intake.inbound_mail.subscriber import listen_for_reports
from services.intake.interventions.subscriber import listen_for_interventions
from services.intake.month_reports.subscriber import listen_for_month_reports
from services.intake.on_call.subscriber import listen_for_on_call
from services.intake.page_explanations.subscriber import listen_for_explanations
from services.intake.page_tests.subscriber import listen_for_page_tests
from services.intake.people.subscriber import listen_for_people
from services.intake.reviews.subscriber import listen_for_reviews
from services.intake.signals.reception import Reception
from services.intake.signals.schemas import Delivery, Result
from services.intake.source_api.subscriber import listen_for_signals
from services.intake.survey_results.subscriber import listen_for_survey_results
from services.intake.surveys.subscriber import listen_for_survey_answers
from services.sla_watcher.policy_moves.subscriber import listen_for_moves
from shared.clock import real_clock
from shared.commands.parked_events import ParkedDesk, listen_for_parked_events
from shared.domain.commands.escalation import BODIES as OF_HELP
from shared.domain.commands.parked_event import AGGREGATES, SERVICES
from shared.domain.commands.sla import BODIES as OF_SLA
from shared.domain.events import EVENT_TYPES
from shared.eventlog.batcher import Batcher
from shared.messaging import subjects
from shared.messaging.broker import command_broker
from shared.messaging.commands import Answered, CommandAnswer, CommandRequest
from shared.process_manager.command_subscriber import listen as listen_for_casework

PAGE = Path(__file__).parents[1] / "reference" / "asyncapi.json"

_ABOUT = (
    "What goes over NATS. A command is a request: its reply is a CommandAnswer, or "
    "RFC 9457 problem details with the header `content-type: "
    "application/problem+json`. Signals are taken off the work queue DESK_SIGNALS once "
    "they are committed. Events are published to DESK_EVENTS in the order of the log, "
    "as stored, with their place in the headers Desk-Position, Desk-Stream, "
    "Desk-Version, Desk-Type, Desk-Recorded-At, Desk-Command-Id, Desk-Chain and "
    "Desk-Epoch, and as CloudEvents in binary mode."
)


def page() -> str:
    """Return the AsyncAPI document as JSON, keys sorted."""
    document = AsyncAPI(
        _broker(), title="Permanence", version="1", description=_ABOUT
    ).to_specification()
    plain = json.loads(_with_plain_keys(document.to_json()))
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _with_plain_keys(text: str) -> str:
    """Return the document with names such as the standard allows for components."""
    text = re.sub(r"CommandMessage(?:\[|%5B)(\w+)(?:\]|%5D)", r"\1Command", text)
    return re.sub(
        r"(event|incident|problem|change|contact|person|on_call|escalation|handover|sla|signals)([\w.]*):(\w*Message)",
        r"\1\2.\3",
        text,
    )


def _broker() -> NatsBroker:
    """Return a broker with all that is taken, and what the relay publishes."""
    nothing = cast("Any", None)
    broker = command_broker("nats://localhost:4222", "intake", CollectorRegistry())
    with ThreadPoolExecutor(1) as executor:  # never used: nothing arrives here
        commands = Batcher[PendingCommand, Answered](
            lambda _: (), executor, weight_max=1, waiting_max=1
        )
        signals = Batcher[Delivery, list[Result]](
            lambda _: (), executor, weight_max=1, waiting_max=1
        )
        for bodies, service in ((OF_HELP, "escalation"), (OF_SLA, "sla_watcher")):
            listen_for_casework(
                broker, nothing, _do_nothing, executor, bodies.values(), service
            )
        listen_for_previews(broker, nothing, nothing, executor, "escalation")
        listen_for_moves(broker, nothing, nothing, executor, "sla_watcher")
    parked = ParkedDesk(nothing, nothing, nothing)
    for reader, aggregate in AGGREGATES.items():
        listen_for_parked_events(broker, nothing, parked, aggregate, SERVICES[reader])
    listen(broker, nothing, commands)
    listen_for_reports(broker, nothing)
    listen_for_people(broker, nothing, nothing, nothing, nothing)
    listen_for_interventions(broker, nothing, nothing, nothing)
    listen_for_explanations(broker, nothing, nothing, nothing)
    listen_for_page_tests(broker, nothing, nothing, nothing)
    listen_for_survey_answers(broker, nothing, nothing, nothing)
    listen_for_survey_results(broker, nothing, nothing, nothing)
    listen_for_month_reports(broker, nothing, nothing, nothing)
    listen_for_reviews(broker, nothing, nothing, nothing)
    listen_for_on_call(broker, nothing, nothing, nothing)
    listen_for_signals(broker, Reception(signals, real_clock, lambda _: None), nothing)
    for type_, kind in EVENT_TYPES.items():
        broker.publisher(
            subjects.event(type_),
            title=f"event.{type_}",
            description=getdoc(kind),
            schema=kind,
        )
    return broker


def _do_nothing(_: CommandRequest[Any]) -> CommandAnswer:
    raise NotImplementedError("this broker only describes what others do")
