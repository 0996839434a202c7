"""Amazon CloudWatch alarms over SNS: in its envelope, or as raw messages.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-notification-schemas.html

The envelope holds the alarm as JSON in a text, and comes as `text/plain`. SNS sends the
same message again under the same id. Account, region and name make one alarm. It has no
severity of its own: that there is no data is milder than that it is too much.
"""

from collections.abc import Mapping

from services.intake.adapters.fields import first_text, inner, rendered, text, texts
from services.intake.adapters.instants import instant
from services.intake.adapters.nested import object_in
from services.intake.adapters.post import Post
from services.intake.adapters.titles import title_of
from services.intake.adapters.told import Told, signal_of
from services.intake.signals import Action, Heard, Ignored, Rejected, Signal
from shared.domain.policy.priorities import Severity

_STATES: Mapping[str, tuple[Action, Severity | None]] = {
    "ALARM": ("trigger", "error"),
    "INSUFFICIENT_DATA": ("trigger", "warning"),
    "OK": ("resolve", None),
}
_MESSAGE_ID = "x-amz-sns-message-id"
_TOPIC = "x-amz-sns-topic-arn"
HEADERS = (_MESSAGE_ID, _TOPIC)
"""They come with raw messages, which have no envelope."""
_TOLD = (
    "AlarmArn",
    "AlarmDescription",
    "AlarmRule",
    "NewStateReason",
    "OldStateValue",
    "StateReason",
    "Trigger",
)


def read(document: object, post: Post) -> list[Heard]:
    """Return what an SNS message says: an alarm, a handshake, or nothing."""
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


def _enveloped(document: Mapping[str, object], post: Post) -> Signal | Rejected:
    alarm = object_in(document.get("Message"))
    if alarm is None or "AlarmName" not in alarm:
        reason = "the message is no CloudWatch alarm: subscribe a topic of alarms only"
        return Rejected(0, reason, ("Message",))
    message, topic = text(document.get("MessageId")), text(document.get("TopicArn"))
    return _alarm(alarm, message, topic, post)


def _alarm(
    alarm: Mapping[str, object], message: str | None, topic: str | None, post: Post
) -> Signal | Rejected:
    state, name = text(alarm.get("NewStateValue")) or "", text(alarm.get("AlarmName"))
    if state not in _STATES:
        reason = f"the state of an alarm is one of {', '.join(_STATES)}"
        return Rejected(0, reason, ("NewStateValue",))
    if name is None:
        return Rejected(0, "an alarm has a name", ("AlarmName",))
    action, severity = _STATES[state]
    place = _place(alarm, topic)
    told = Told(
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
    """Return account and region; `Region` is a name for people, so it comes last."""
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
