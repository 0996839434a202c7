"""The room of monitoring systems: their signals, keys, heartbeats and quarantine."""

from starlette.routing import Route

from services.intake.assembly import Parts
from services.intake.compat import opsgenie, pagerduty
from services.intake.endpoint_context import EndpointContext
from services.intake.external_records.endpoints import external_record_routes
from services.intake.heartbeats.endpoints import HeartbeatEndpoints
from services.intake.maintenance.endpoints import announcement_routes
from services.intake.policy.store import Policies
from services.intake.quarantine.endpoints import QuarantineEndpoints
from services.intake.quarantine.worker import RetryWorker, quarantine_probe
from services.intake.room import Room
from services.intake.signals.timers import Timers
from services.intake.source_activity.endpoints import SourceEndpoints
from services.intake.source_api import endpoints as source_endpoints
from services.intake.source_api.explain_endpoints import explain_routes
from services.intake.source_keys.endpoints import SourceKeyEndpoints


def sources(parts: Parts) -> Room:
    """Return what monitoring systems use, and what people do about them."""
    log, clock, context = parts.log, parts.clock, parts.context
    gate, in_force, beats = context.gate, context.in_force, parts.heartbeats
    return Room(
        (
            *signal_routes(context),
            *SourceEndpoints(gate, log, in_force, clock).routes(),
            *SourceKeyEndpoints(gate, log, in_force, clock).routes(),
            *HeartbeatEndpoints(gate, in_force, beats).routes(),
            *QuarantineEndpoints(gate, parts.retries).routes(),
            *explain_routes(context),
            *announcement_routes(context, clock),
            *external_record_routes(context, clock),
        ),
        (
            Timers(log, Policies(log), clock, parts.signals).run,
            beats.run,
            RetryWorker(parts.retries).run,
            parts.gate.activity.run,
        ),
        (quarantine_probe(log, clock), beats.probe),
    )


def signal_routes(context: EndpointContext) -> list[Route]:
    """Return the routes for signals, including those compatible with other systems."""
    return [
        *source_endpoints.routes(context),
        *pagerduty.routes(context),
        *opsgenie.routes(context),
    ]
