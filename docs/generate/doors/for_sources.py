"""The doors at which sources knock, in our own way."""

from collections.abc import Mapping

from docs.generate.doors.door import ADMITTED, JSON, Door, Schema, header, query
from docs.generate.doors.schemas import ANYTHING, FORMATS, TEXT, ref
from services.intake.signals.body import FORM

_IDEMPOTENCY = header("Idempotency-Key", TEXT)
_CLOUD: Mapping[str, Schema] = {
    "application/cloudevents+json": ANYTHING,
    "application/cloudevents-batch+json": ANYTHING,
    JSON: ANYTHING,
}
_CONSENT = Door(
    says="Allow the caller to post CloudEvents here, as its webhook specification "
    "says.",
    tag="signals",
    keys=(),
    answers={200: None},
    refused=(400,),
    asked=(header("WebHook-Request-Origin", TEXT),),
)
_INTEGRATION = Door(
    says="Take what a monitoring system sends, as it sends it.",
    tag="signals",
    keys=("key",),
    answers={202: ref("Taken")},
    body={JSON: ANYTHING, FORM: {"type": "object", "additionalProperties": TEXT}},
    refused=(*ADMITTED, 404, 415),
    path={"type": FORMATS},
)
_IN_PATH = "The key stands in the path, for senders that cannot set a header."
_VREALIZE = Door(
    says="Take an alert of vRealize Operations, which adds its id to the address.",
    tag="signals",
    keys=(),
    answers=_INTEGRATION.answers,
    body={JSON: ANYTHING},
    refused=(*_INTEGRATION.refused, 401, 403),
)

FOR_SOURCES: Mapping[tuple[str, str], Door] = {
    ("POST", "/v1/events"): Door(
        says="Take our own format: one event or an array of them.",
        tag="signals",
        keys=("key",),
        answers={202: ref("Taken")},
        body={JSON: ref("Events")},
        refused=(*ADMITTED, 415),
        asked=(_IDEMPOTENCY,),
    ),
    ("POST", "/v1/cloudevents"): Door(
        says="Take CloudEvents 1.x: structured, in a batch, or with their attributes "
        "in headers.",
        tag="signals",
        keys=("key",),
        answers={202: ref("Taken")},
        body=_CLOUD,
        refused=(*ADMITTED, 415),
    ),
    ("OPTIONS", "/v1/cloudevents"): _CONSENT,
    ("OPTIONS", "/v1/integrations/cloudevents"): _CONSENT,
    ("OPTIONS", "/v1/integrations/cloudevents/{key}"): _CONSENT,
    ("POST", "/v1/integrations/{type}"): _INTEGRATION,
    ("POST", "/v1/integrations/{type}/{key}"): Door(
        says=f"{_INTEGRATION.says} {_IN_PATH}",
        tag="signals",
        keys=(),
        answers=_INTEGRATION.answers,
        body=_INTEGRATION.body,
        refused=(*_INTEGRATION.refused, 401, 403),
        path=_INTEGRATION.path,
    ),
    ("POST", "/v1/integrations/vrealize/{key}/{alert}"): _VREALIZE,
    ("PUT", "/v1/integrations/vrealize/{key}/{alert}"): _VREALIZE,
    ("GET", "/v1/requests/{event_id}"): Door(
        says="Return the result for an event id, for three days; people say in "
        "`source` whose.",
        tag="signals",
        keys=("key", "token"),
        answers={200: ref("StoredOutcome")},
        refused=(404, 422, 429),
        asked=(query("source", TEXT),),
    ),
    ("POST", "/v1/heartbeats/{name}"): Door(
        says="Hear a beat; a body says nothing.",
        tag="heartbeats",
        keys=("key",),
        answers={202: ref("Beaten")},
        refused=(*ADMITTED, 404),
    ),
    ("POST", "/v1/heartbeats/{name}/{key}"): Door(
        says=f"Hear a beat. {_IN_PATH}",
        tag="heartbeats",
        keys=(),
        answers={202: ref("Beaten")},
        refused=(*ADMITTED, 401, 403, 404),
    ),
    ("GET", "/v1/heartbeats"): Door(
        says="Show how all heartbeats stand; to a source, its own.",
        tag="heartbeats",
        keys=("key", "token"),
        answers={200: ref("Heartbeats")},
    ),
    ("GET", "/v1/heartbeats/{name}"): Door(
        says="Show how a heartbeat stands, to people and to its own source.",
        tag="heartbeats",
        keys=("key", "token"),
        answers={200: ref("HeartbeatView")},
        refused=(404, 429),
    ),
    ("GET", "/v1/sources"): Door(
        says="Show what all sources did lately, and with which keys.",
        tag="sources",
        keys=("token",),
        answers={200: ref("Sources")},
    ),
    ("GET", "/v1/sources/{name}"): Door(
        says="Show what a source did lately; it sees itself with its own key.",
        tag="sources",
        keys=("key", "token"),
        answers={200: ref("SourceView")},
        refused=(404, 429),
    ),
}
