"""CloudWatch alarms over SNS. The bodies are our own."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.records.signal import DETAILS_MAX
from tests.unit.intake.signals.formats.elements.adapter_result import (
    ignored,
    rejected,
    signal,
    without,
)
from tests.unit.intake.signals.formats.elements.bent_bodies import (
    JSON,
    bent,
    never_raises,
)

TOPIC = "arn:aws:sns:eu-west-3:210987654321:desk"
ALARM: dict[str, Any] = {
    "AlarmName": "Queue of the portal is long",
    "AlarmDescription": "More than 500 messages wait",
    "AWSAccountId": "210987654321",
    "AlarmConfigurationUpdatedTimestamp": "2025-06-01T08:00:00.000+0000",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 2 datapoints were greater than 500",
    "StateChangeTime": "2025-06-30T06:58:01.250+0000",
    "Region": "EU (Paris)",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-3:210987654321:alarm:Queue of the portal",
    "OldStateValue": "OK",
    "Trigger": {
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Namespace": "AWS/SQS",
        "Dimensions": [{"value": "portal", "name": "QueueName"}],
        "Threshold": 500.0,
    },
}
OK = {**ALARM, "NewStateValue": "OK", "OldStateValue": "ALARM"}
CONFIRM = "https://sns.eu-west-3.amazonaws.com/?Action=ConfirmSubscription&Token=t"


def envelope(alarm: object = ALARM, **more: object) -> dict[str, Any]:
    text = alarm if isinstance(alarm, str) else json.dumps(alarm)
    return {
        "Type": "Notification",
        "MessageId": "7b1f8d10-0000-4000-8000-0123456789ab",
        "TopicArn": TOPIC,
        "Subject": "ALARM",
        "Message": text,
        "Timestamp": "2025-06-30T06:58:02.000Z",
        **more,
    }


def test_an_alarm_in_an_envelope_is_a_trouble() -> None:
    heard = signal("cloudwatch", envelope())

    assert (heard.action, heard.severity) == ("trigger", "error")
    assert heard.title == "Queue of the portal is long"
    assert heard.event_id == "7b1f8d10-0000-4000-8000-0123456789ab"
    assert heard.dedup_key == "210987654321:eu-west-3:Queue of the portal is long"
    assert str(heard.occurred_at) == "2025-06-30 06:58:01.250000+00:00"
    assert heard.labels == {
        "QueueName": "portal",
        "namespace": "AWS/SQS",
        "metric": "ApproximateNumberOfMessagesVisible",
        "account": "210987654321",
        "region": "eu-west-3",
        "alarm": "Queue of the portal is long",
        "state": "ALARM",
    }
    assert "Threshold Crossed" in str(heard.details)


def test_ok_is_its_recovery_and_no_data_a_milder_trouble() -> None:
    firing = signal("cloudwatch", envelope())
    no_data = signal(
        "cloudwatch", envelope({**ALARM, "NewStateValue": "INSUFFICIENT_DATA"})
    )
    over = signal("cloudwatch", envelope(OK))

    assert (no_data.action, no_data.severity) == ("trigger", "warning")
    assert (over.action, over.severity) == ("resolve", None)
    assert firing.dedup_key == no_data.dedup_key == over.dedup_key


@pytest.mark.parametrize(
    "fewer",
    [
        without(OK, "AlarmArn"),
        without(OK, "AWSAccountId"),
        without(OK, "AlarmArn", "AWSAccountId", "Region", "Trigger"),
    ],
)
def test_a_recovery_that_says_less_of_its_place_is_of_the_same_trouble(
    fewer: dict[str, Any],
) -> None:
    firing, over = envelope(), envelope(fewer)

    assert (
        signal("cloudwatch", over).dedup_key == signal("cloudwatch", firing).dedup_key
    )


@pytest.mark.parametrize("place", ["eu-west-3", "us-east-1"])
def test_the_same_name_elsewhere_is_another_trouble(place: str) -> None:
    there = {**ALARM, "AlarmArn": f"arn:aws:cloudwatch:{place}:210987654321:alarm:x"}
    account = {**ALARM, "AWSAccountId": "111122223333"}

    here = signal("cloudwatch", envelope())
    assert (signal("cloudwatch", envelope(there)).dedup_key == here.dedup_key) is (
        place == "eu-west-3"
    )
    assert signal("cloudwatch", envelope(account)).dedup_key != here.dedup_key


def test_a_raw_message_is_the_alarm_itself_and_headers_name_it() -> None:
    heard = signal(
        "cloudwatch",
        without(ALARM, "AlarmArn"),
        headers={"x-amz-sns-message-id": "m-1", "x-amz-sns-topic-arn": TOPIC},
    )

    assert heard.event_id == "m-1"
    assert heard.dedup_key == signal("cloudwatch", envelope()).dedup_key
    assert signal("cloudwatch", ALARM).event_id is None


def test_a_subscription_asks_for_a_hand_and_opens_nothing() -> None:
    heard = ignored(
        "cloudwatch",
        envelope(
            "You have chosen to subscribe",
            Type="SubscriptionConfirmation",
            Token="t",  # of a test
            SubscribeURL=CONFIRM,
        ),
    )

    assert (heard.action, heard.confirm_url) == ("handshake", CONFIRM)
    assert TOPIC in heard.reason


def test_the_end_of_a_subscription_is_ignored_and_leads_nowhere() -> None:
    body = envelope("", Type="UnsubscribeConfirmation", SubscribeURL=CONFIRM)
    heard = ignored("cloudwatch", body)

    assert (heard.action, heard.confirm_url) == ("ignore", None)


@pytest.mark.parametrize(
    ("body", "reason", "loc"),
    [
        ([], "JSON object", ()),
        ({"Type": "Party"}, "neither", ("Type",)),
        (envelope("The backup is done"), "not a CloudWatch alarm", ("Message",)),
        (envelope("{"), "not a CloudWatch alarm", ("Message",)),
        (envelope('{"a": 1}'), "not a CloudWatch alarm", ("Message",)),
        (envelope('{"a":' * 40 + "1" + "}" * 40), "not a CloudWatch", ("Message",)),
        (envelope({**ALARM, "NewStateValue": "ODD"}), "is one of", ("NewStateValue",)),
        (envelope({**ALARM, "AlarmName": " "}), "has a name", ("AlarmName",)),
    ],
)
def test_what_is_no_alarm_is_rejected(
    body: object, reason: str, loc: tuple[str, ...]
) -> None:
    said = rejected("cloudwatch", body)

    assert reason in said.reason
    assert said.loc == loc


def test_what_is_too_long_is_cut_not_refused() -> None:
    heard = signal(
        "cloudwatch",
        envelope({**ALARM, "AlarmName": "é" * 2_000, "NewStateReason": "x" * 9_000}),
    )

    assert len(heard.title) == 1_024
    assert heard.dedup_key.startswith("sha256:")
    assert len(str(heard.details)) <= DETAILS_MAX


@given(bent(ALARM) | JSON, st.booleans())
def test_whatever_comes_it_never_raises(body: Any, raw: bool) -> None:
    never_raises("cloudwatch", body if raw else envelope(body))
    never_raises("cloudwatch", {**envelope(), "Message": body})
