"""The doors that senders of other systems know: their paths, their answers."""

from collections.abc import Mapping, Sequence

from docs.generate.doors.door import ADMITTED, JSON, Door, Key, Schema, header, query
from docs.generate.doors.schemas import ANYTHING, OBJECT, TEXT, ref

_IDEMPOTENCY = header("Idempotency-Key", TEXT)
_ALERTA_TAKEN: Mapping[int, Schema | None] = {
    201: ref("AlertaAnswer"),
    202: ref("AlertaAnswer"),
}
_PAGERDUTYS_KEYS: Sequence[Key] = ("routing_key", "key")


def _pagerdutys(says: str) -> Door:
    return Door(
        says=says,
        tag="PagerDuty",
        keys=_PAGERDUTYS_KEYS,
        answers={202: ref("PagerDutyAnswer")},
        body={JSON: OBJECT},
        refused=ADMITTED,
        form="pagerduty",
        asked=(_IDEMPOTENCY,),
    )


def _alertas(says: str, *, keyed: bool) -> Door:
    return Door(
        says=says,
        tag="Alerta",
        keys=() if keyed else ("alerta_key", "key"),
        answers=_ALERTA_TAKEN,
        body={JSON: OBJECT},
        refused=(*ADMITTED, 401, 403),
        form="alerta",
    )


def _refused(method: str) -> Door:
    """Describe what Opsgenie's API can and a source cannot."""
    return Door(
        says="Refuse what Opsgenie's API can and a source cannot; the answer says what "
        "to do instead.",
        tag="Opsgenie",
        keys=("genie_key", "key"),
        answers={},
        body={} if method == "GET" else {JSON: ANYTHING},
        must_have_body=False,
        refused=(400, 404, 413, 422, 429),
        form="opsgenie",
    )


_CONFIG = Door(
    says="Tell Alerta's clients that there is nothing to set.",
    tag="Alerta",
    keys=(),
    answers={200: OBJECT},
    refused=(),
)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

OF_OTHERS: Mapping[tuple[str, str], Door] = {
    ("POST", "/v2/enqueue"): _pagerdutys("Take PagerDuty's Events API v2."),
    ("POST", "/v2/change/enqueue"): _pagerdutys("Take PagerDuty's change events."),
    ("POST", "/v1/integrations/alerta/alert"): _alertas(
        "Take what Alerta's clients send.", keyed=False
    ),
    ("POST", "/v1/integrations/alerta/{key}/alert"): _alertas(
        "Take what Alerta's clients send, with the key in the path.", keyed=True
    ),
    ("GET", "/v1/integrations/alerta/config"): _CONFIG,
    ("GET", "/v1/integrations/alerta/{key}/config"): _CONFIG,
    ("POST", "/v2/alerts"): Door(
        says="Take an alert of Opsgenie's Alert API.",
        tag="Opsgenie",
        keys=("genie_key", "key"),
        answers={202: ref("OpsgenieAnswer")},
        body={
            JSON: {
                "type": "object",
                "properties": {
                    "message": TEXT,
                    "alias": TEXT,
                    "description": {"type": "string"},
                    "entity": {"type": "string"},
                    "priority": {"enum": ["P1", "P2", "P3", "P4", "P5"]},
                    "details": OBJECT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["message"],
            }
        },
        refused=ADMITTED,
        form="opsgenie",
        asked=(_IDEMPOTENCY,),
    ),
    ("GET", "/v2/alerts/requests/{request_id}"): Door(
        says="Return the result of a request, and the id of its alert.",
        tag="Opsgenie",
        keys=("genie_key", "key"),
        answers={200: ref("OpsgenieStatus")},
        refused=(404, 422, 429),
        form="opsgenie",
    ),
    ("POST", "/v2/alerts/{identifier}/{action}"): Door(
        says="Close or acknowledge an alert, or add a note to it.",
        tag="Opsgenie",
        keys=("genie_key", "key"),
        answers={202: ref("OpsgenieAnswer")},
        body={JSON: OBJECT},
        must_have_body=False,
        refused=(*ADMITTED, 404),
        form="opsgenie",
        asked=(
            query("identifierType", {"type": "string", "enum": ["id", "alias"]}),
            _IDEMPOTENCY,
        ),
        path={
            "action": {
                "type": "string",
                "enum": ["close", "acknowledge", "notes", "snooze"],
            }
        },
    ),
    **{
        (method, "/v2/alerts"): _refused(method)
        for method in _METHODS
        if method != "POST"
    },
    **{(method, "/v2/alerts/{rest}"): _refused(method) for method in _METHODS},
}
