"""SMS and calls to a real HTTP server that answers as Twilio documents."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import pytest

from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from services.escalation.notifications.channels.twilio import (
    NO_NUMBER,
    sms_channel,
    voice_channel,
)
from shared.domain.events.notification import Channel
from tests.support.builders.on_call.parcels import (
    ACCEPT,
    CALLBACK,
    PAGE,
    Build,
    sent,
    to_contact,
)
from tests.support.servers.webhook_receiver import Postbox, open_postbox

ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "token-of-ours"
NUMBER = "+33612345678"
QUEUED = b'{"sid": "SM0123456789abcdef0123456789abcdef", "status": "queued"}'
each_channel = pytest.mark.parametrize(
    ("build", "name"), [(sms_channel, "sms"), (voice_channel, "voice")]
)


@pytest.fixture
def server() -> Iterator[Postbox]:
    with open_postbox() as postbox:
        postbox.status, postbox.body = 201, QUEUED
        yield postbox


def account(server: Postbox) -> Mapping[str, str]:
    return {
        "twilio_url": server.origin,
        "twilio_account": ACCOUNT,
        "twilio_token": TOKEN,
        "twilio_from": "+33757000000",
    }


def asked(server: Postbox) -> dict[str, str]:
    fields = parse_qs(server.requests[-1].body.decode())
    return {name: values[0] for name, values in fields.items()}


def test_a_text_message_is_short_and_names_where_its_fate_is_reported(
    server: Postbox,
) -> None:
    outcome = sent(sms_channel, to_contact("sms", NUMBER), account(server))

    assert outcome == Delivered("SM0123456789abcdef0123456789abcdef")
    (request,) = server.requests
    assert request.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    kind, _, basic = request.headers["authorization"].partition(" ")
    assert (kind, b64decode(basic)) == ("Basic", f"{ACCOUNT}:{TOKEN}".encode())
    assert asked(server) == {
        "From": "+33757000000",
        "To": NUMBER,
        "Body": f"{PAGE.line} {ACCEPT}",
        "StatusCallback": CALLBACK,
    }


def test_a_call_reads_the_page_twice_and_asks_for_a_key(server: Postbox) -> None:
    page = replace(PAGE, language="fr", summary='P1 : panne <& "Paie" 048151')
    sent(voice_channel, to_contact("voice", NUMBER, page), account(server))

    assert server.requests[0].path.endswith("/Calls.json")
    twiml = ET.fromstring(asked(server)["Twiml"])  # noqa: S314 # our own
    gathers = twiml.findall("Gather")
    assert [each.get("action") for each in gathers] == [f"{CALLBACK}/key"] * 2
    said = [each.text for each in twiml.iter("Say")]
    assert said[:2] == [
        'P1 : panne <& "Paie" 0 4 8 1 5 1',
        "Appuyez sur 1 pour prendre l’incident en compte.",
    ]
    assert {each.get("language") for each in twiml.iter("Say")} == {"fr-FR"}


@each_channel
@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, b'{"code": 21211, "message": "Invalid To", "status": 400}',
         Failed("the provider answered HTTP 400 (21211)", permanent=True)),
        (401, b'{"code": 20003, "status": 401}',
         Failed("the provider rejects our credentials (20003): check the settings",
                permanent=False)),
        (503, b"away", Failed("the provider answered HTTP 503", permanent=False,
                              retry_after=timedelta(seconds=7))),
    ],
)  # fmt: skip
def test_a_refusal_is_told_by_its_code(
    server: Postbox, build: Build, name: Channel, status: int, body: bytes,
    outcome: Outcome,
) -> None:  # fmt: skip
    server.status, server.body, server.headers = status, body, {"retry-after": "7"}

    assert sent(build, to_contact(name, NUMBER), account(server)) == outcome


@each_channel
@pytest.mark.parametrize("to", ["0612345678", "+33 6 12", "+1234/../Calls", ""])
def test_what_is_no_number_is_not_called(
    server: Postbox, build: Build, name: Channel, to: str
) -> None:
    outcome = sent(build, to_contact(name, to), account(server))

    assert outcome == Failed(NO_NUMBER, permanent=True)
    assert server.requests == []


@each_channel
def test_without_an_account_it_says_what_to_set(build: Build, name: Channel) -> None:
    outcome = sent(build, to_contact(name, NUMBER), {})

    assert isinstance(outcome, Failed)
    assert "PERMANENCE_TWILIO_ACCOUNT" in outcome.reason
