"""Amazon CloudWatch alarms over SNS, in its envelope or as raw messages.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-notification-schemas.html

The envelope contains the alarm as JSON in a text, and is sent as `text/plain`. SNS
resends a message with the same id. Account, region and name form the key. An alarm has
no severity of its own: missing data counts as less severe than a breached threshold.
"""

from collections.abc import Mapping

from services.intake.records.signal import Action, Signal
from services.intake.signals.body import DEPTH_MAX
from services.intake.signals.formats.elements.fields import (
    first_text,
    inner,
    instant,
    rendered,
    text,
    texts,
    title_of,
)
from services.intake.signals.formats.elements.upstream_alert import (
    InboundDocument,
    UpstreamAlert,
    signal_of,
)
from services.intake.signals.schemas import Heard, Ignored, Rejected
from shared.domain.policy.priorities import Severity
from shared.http.bodies import document_in
from shared.http.problem_details import HttpError


def object_in(said: object) -> Mapping[str, object] | None:
    """Return the JSON object in a text, or None.

    It may not nest deeper than a body. A value that already is an object is returned.
    """
    if isinstance(said, dict):
        return said
    if not isinstance(said, str) or not said.lstrip().startswith("{"):
        return None
    try:
        document = document_in(said.encode(errors="replace"), DEPTH_MAX)
    except HttpError:
        return None
    return document if isinstance(document, dict) else None


_STATES: Mapping[str, tuple[Action, Severity | None]] = {
    "ALARM": ("trigger", "error"),
    "INSUFFICIENT_DATA": ("trigger", "warning"),
    "OK": ("resolve", None),
}
_MESSAGE_ID = "x-amz-sns-message-id"
_TOPIC = "x-amz-sns-topic-arn"
HEADERS = (_MESSAGE_ID, _TOPIC)
"""Sent with raw messages, which have no envelope."""
_TOLD = (
    "AlarmArn",
    "AlarmDescription",
    "AlarmRule",
    "NewStateReason",
    "OldStateValue",
    "StateReason",
    "Trigger",
)


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return the result of reading an SNS message: an alarm, a handshake or nothing."""
    if not isinstance(document, dict):
        return [Rejected(0, "this is not a message of SNS: a JSON object is expected")]
    kind = document.get("Type")
    match kind:
        case "SubscriptionConfirmation":
            return [_handshake(document)]
        case "UnsubscribeConfirmation":
            return [Ignored(0, "SNS confirms that the subscription has ended")]
        case "Notification":
            return [_enveloped(document, post)]
        case _ if "AlarmName" in document:
            headers = post.headers
            return [
                _alarm(document, headers.get(_MESSAGE_ID), headers.get(_TOPIC), post)
            ]
        case _:
            reason = "neither a message of SNS (`Type`) nor an alarm (`AlarmName`)"
            return [Rejected(0, reason, ("Type",))]


def _handshake(document: Mapping[str, object]) -> Ignored:
    topic = text(document.get("TopicArn")) or "a topic"
    return Ignored(
        0,
        f"SNS asks to confirm the subscription to {topic}",
        "handshake",
        title_of(document.get("Message")),
        text(document.get("SubscribeURL")),
    )


def _enveloped(
    document: Mapping[str, object], post: InboundDocument
) -> Signal | Rejected:
    alarm = object_in(document.get("Message"))
    if alarm is None or "AlarmName" not in alarm:
        reason = (
            "the message is not a CloudWatch alarm: subscribe a topic of alarms only"
        )
        return Rejected(0, reason, ("Message",))
    message, topic = text(document.get("MessageId")), text(document.get("TopicArn"))
    return _alarm(alarm, message, topic, post)


def _alarm(
    alarm: Mapping[str, object],
    message: str | None,
    topic: str | None,
    post: InboundDocument,
) -> Signal | Rejected:
    state, name = text(alarm.get("NewStateValue")) or "", text(alarm.get("AlarmName"))
    if state not in _STATES:
        reason = f"the state of an alarm is one of {', '.join(_STATES)}"
        return Rejected(0, reason, ("NewStateValue",))
    if name is None:
        return Rejected(0, "an alarm has a name", ("AlarmName",))
    action, severity = _STATES[state]
    place = _place(alarm, topic)
    told = UpstreamAlert(
        event_id=(message,) if message else (),
        key=(":".join((place["account"], place["region"], name)),),
        action=action,
        title=title_of(name),
        severity=severity,
        at=instant(alarm.get("StateChangeTime")),
        labels={**_dimensions(alarm), **place, "alarm": name, "state": state},
        details=rendered({said: alarm[said] for said in _TOLD if said in alarm}),
    )
    return signal_of(told, post)


def _place(alarm: Mapping[str, object], topic: str | None) -> dict[str, str]:
    """Return account and region; `Region` is a display name, so it comes last."""
    arns = [_arn(text(alarm.get("AlarmArn"))), _arn(topic)]
    accounts = [text(alarm.get("AWSAccountId")), *(account for _, account in arns)]
    regions = [*(region for region, _ in arns), text(alarm.get("Region"))]
    return {
        "account": next(filter(None, accounts), ""),
        "region": next(filter(None, regions), ""),
    }


def _arn(said: str | None) -> tuple[str, str]:
    """Return region and account of `arn:partition:service:region:account:resource`."""
    match (said or "").split(":", 5):
        case ["arn", _, _, region, account, _]:
            return region, account
        case _:
            return "", ""


def _dimensions(alarm: Mapping[str, object]) -> dict[str, str]:
    trigger = inner(alarm, "Trigger")
    said = trigger.get("Dimensions")
    named = {
        name: value
        for each in (said if isinstance(said, list) else [])
        if isinstance(each, dict)
        and (name := first_text(each, "name", "Name"))
        and (value := first_text(each, "value", "Value"))
    }
    return {**named, **texts(trigger, namespace="Namespace", metric="MetricName")}
