"""Writes docs/reference/asyncapi.json: commands and signals taken, events published."""

import json
import re
from inspect import getdoc
from pathlib import Path
from typing import Any, cast

from faststream.nats import NatsBroker
from faststream.specification.asyncapi import AsyncAPI
from prometheus_client import CollectorRegistry

from docs.generate.intake_openapi import parts_of_nothing
from services.escalation import subscriptions as escalation
from services.intake import subscriptions as intake
from services.intake.source_api.subscriber import listen_for_signals
from services.sla_watcher import subscriptions as sla_watcher
from shared.commands.parked_events import ParkedDesk
from shared.commands.subscriber import CommandSubscriber
from shared.domain.events import EVENT_TYPES
from shared.messaging import subjects
from shared.messaging.broker import command_broker

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
    parked = ParkedDesk(nothing, nothing, nothing)

    def of(queue_group: str) -> CommandSubscriber:
        return CommandSubscriber(broker, nothing, queue_group)

    intake.subscribe(of("intake"), parts_of_nothing())
    listen_for_signals(broker, nothing, nothing)
    sla_watcher.subscribe(
        of("sla_watcher"),
        sla_watcher.CommandTakers(nothing, nothing, parked),
        nothing,
    )
    escalation.subscribe(
        of("escalation"),
        escalation.CommandTakers(nothing, nothing, parked),
        escalation.Executors(nothing, nothing),
    )
    for type_, kind in EVENT_TYPES.items():
        broker.publisher(
            subjects.event(type_),
            title=f"event.{type_}",
            description=getdoc(kind),
            schema=kind,
        )
    return broker
