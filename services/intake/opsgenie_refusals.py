"""What Opsgenie's Alert API can and a source cannot do here, and what to do instead."""

from collections.abc import Mapping

from shared.http.problem_details import HttpError

_AGAIN = "create the alert again with the same alias: what is new in it is told"
_PEOPLE = "people do this at the incident, with a token of their own"
_INSTEAD: Mapping[str, str] = {
    "unacknowledge": f"an acknowledgement is not taken back: {_PEOPLE}",
    "snooze": f"a source cannot put its own alert to sleep: {_PEOPLE} (`pause`)",
    "assign": f"a source assigns nobody: {_PEOPLE} (`assign`)",
    "escalate": f"the policy escalates; by hand, {_PEOPLE} (`escalate`)",
    "responders": "who is asked is said by the policy's escalation, not by the alert",
    "teams": "which team is asked is said by the policy, by the alert's service",
    "tags": f"tags are part of an alert: {_AGAIN}",
    "details": f"details are part of an alert: {_AGAIN}",
    "priority": f"a priority is part of an alert: {_AGAIN}",
    "message": f"the message is part of an alert: {_AGAIN}",
    "description": f"the description is part of an alert: {_AGAIN}",
    "attachments": "files are not taken: put a link into `details`",
    "actions": "custom actions are not known here: use `close` or `acknowledge`",
}


def instead_of(method: str, path: str) -> HttpError:
    """Return the refusal of a request that is Opsgenie's and none of ours."""
    if method == "GET":
        return HttpError(
            404,
            "alerts are not read here: read GET /v1/queues/all/incidents with a "
            "person's token, or the outcome of a request at "
            "GET /v2/alerts/requests/{requestId}",
        )
    steps = path.rstrip("/").split("/")
    for step in (steps[-1], steps[-2]):
        if step in _INSTEAD:
            return HttpError(422, _INSTEAD[step])
    if method == "DELETE":
        return HttpError(422, "nothing is deleted here: close the alert")
    return HttpError(
        422, "this is not known here: POST to /v2/alerts, or to its `close`"
    )
