"""Cloud monitoring at the doors: text, headers, and a subscription to be confirmed."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.routing import Router

from services.intake.assembly import assemble
from services.intake.compat.webhook_handshakes import (
    CONFIRMED,
    NOT_ALLOWED,
    Handshakes,
    may_confirm,
)
from services.intake.signals.reception import Reception
from services.intake.source_api.endpoints import routes
from services.intake.telemetry import CommitObserver
from shared.eventlog.log import EventLog
from shared.security.access import create
from tests.integration.intake.conftest import MASTER, NOW
from tests.support.patience import SECONDS, eventually
from tests.support.servers.servers import Database
from tests.support.servers.webhook_receiver import Postbox, open_postbox

pytestmark = pytest.mark.servers

SOON = 2.0
"""Enough to ask in; and what whoever hangs is waited for."""
"""Longer than an answer from this machine takes, short to wait for one that is none."""
ALARM = {
    "AlarmName": "Queue of the portal is long",
    "AWSAccountId": "210987654321",
    "NewStateValue": "ALARM",
    "StateChangeTime": "2025-06-30T07:58:01.250+0000",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-3:210987654321:alarm:Queue",
}
TEXT = {"Content-Type": "text/plain; charset=UTF-8"}
Allowed = Callable[[str], bool]


@dataclass(frozen=True)
class Desk:
    """Intake on a real log, the key of a source, and where it may confirm."""

    log: EventLog
    executor: ThreadPoolExecutor
    key: str
    allowed: Allowed = may_confirm
    patience: float = SECONDS
    """How long whoever confirms may take."""

    def post(
        self, adapter: str, body: object, headers: Mapping[str, str] = TEXT
    ) -> httpx.Response:
        """Post a body as a sender does that cannot set the header of a key."""
        return asyncio.run(self._post(adapter, body, headers))

    async def _post(
        self, adapter: str, body: object, headers: Mapping[str, str]
    ) -> httpx.Response:
        noting = CommitObserver(CollectorRegistry(), lambda: None)
        parts = assemble(self.log, lambda: NOW, self.executor, noting)
        confirm = Handshakes(self.allowed, self.patience).confirm
        reception = Reception(
            parts.signals, lambda: NOW, lambda _: None, confirm=confirm
        )
        app = Router(routes=routes(replace(parts.context, reception=reception)))
        batching = asyncio.create_task(parts.signals.run())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://intake"
        ) as client:
            answer = await client.post(
                f"/v1/integrations/{adapter}/{self.key}",
                content=json.dumps(body),
                headers=headers,
            )
        batching.cancel()
        return answer


@pytest.fixture
def desk(ruled: Database) -> Iterator[Desk]:
    """Give a desk with the starter policy that confirms only where SNS does."""
    owner = EventLog.open(ruled.owner_dsn)
    with owner.transaction() as cursor:
        key = create(cursor, NOW, "source:cloud", ["source"]).token
    owner.close()
    log = EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
    with ThreadPoolExecutor(4) as executor:
        yield Desk(log, executor, key)
    log.close()


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """Give a server of this machine that a body may name."""
    with open_postbox() as postbox:
        postbox.status = 200
        yield postbox


def envelope(**more: object) -> dict[str, object]:
    return {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": "arn:aws:sns:eu-west-3:210987654321:desk",
        "Message": json.dumps(ALARM),
        **more,
    }


def subscription(url: str) -> dict[str, object]:
    return envelope(Type="SubscriptionConfirmation", Message="…", SubscribeURL=url)


def only(answer: httpx.Response) -> dict[str, object]:
    assert answer.status_code == 202, answer.text
    (result,) = answer.json()["results"]
    return dict(result)


def test_an_alarm_that_comes_as_text_opens_once_and_recovers(desk: Desk) -> None:
    over = {**ALARM, "NewStateValue": "OK"}
    del over["StateChangeTime"], over["AlarmArn"]

    opened = only(desk.post("cloudwatch", envelope()))
    again = only(desk.post("cloudwatch", envelope()))
    recovered = only(
        desk.post("cloudwatch", envelope(MessageId="m-2", Message=json.dumps(over)))
    )

    assert opened["status"] == "opened"
    assert (again["status"], again["event_id"]) == ("duplicate", "m-1")
    assert recovered["status"] == "recovered"
    assert opened["incident"] == again["incident"] == recovered["incident"]


def test_headers_reach_the_adapter_that_reads_them(desk: Desk) -> None:
    raw = only(desk.post("cloudwatch", ALARM, {"X-Amz-Sns-Message-Id": "m-9"}))
    body = {"action": "created", "data": {"installation": {}}}
    other = only(desk.post("sentry", body, {"Sentry-Hook-Resource": "seer"}))

    assert raw["event_id"] == "m-9"
    assert other["status"] == "ignored"
    assert str(other["error"]).startswith("of seer")


def test_a_subscription_is_confirmed_where_that_is_allowed(
    desk: Desk, postbox: Postbox
) -> None:
    here = replace(desk, allowed=lambda url: url == postbox.url)

    result = only(here.post("cloudwatch", subscription(postbox.url)))

    assert (result["status"], result["error"]) == ("ignored", CONFIRMED)
    (asked,) = postbox.requests
    assert (asked.path, asked.body) == ("/hook", b"")
    assert "authorization" not in asked.headers


def test_an_address_of_our_own_house_is_not_asked_and_the_answer_says_why(
    desk: Desk, postbox: Postbox
) -> None:
    result = only(desk.post("cloudwatch", subscription(postbox.url)))

    assert (result["status"], result["error"]) == ("ignored", NOT_ALLOWED)
    assert postbox.requests == []


def test_a_subscription_without_an_address_is_ignored(desk: Desk) -> None:
    result = only(desk.post("cloudwatch", subscription("")))

    assert result["status"] == "ignored"
    assert "asks to confirm" in str(result["error"])


def test_nobody_is_followed_to_where_an_answer_leads(
    desk: Desk, postbox: Postbox
) -> None:
    postbox.status, postbox.headers = 302, {"Location": postbox.url}
    here = replace(desk, allowed=lambda _: True)

    result = only(here.post("cloudwatch", subscription(postbox.url)))

    assert "the answer was 302" in str(result["error"])
    assert len(postbox.requests) == 1


def test_an_answer_without_end_is_not_read(desk: Desk, postbox: Postbox) -> None:
    postbox.endless = True
    here = replace(desk, allowed=lambda _: True)

    assert only(here.post("cloudwatch", subscription(postbox.url)))["error"] == (
        CONFIRMED
    )


@pytest.mark.parametrize("way", ["hang", "cut", "500"])
def test_where_nobody_confirms_sns_is_told_to_ask_again(
    desk: Desk, postbox: Postbox, way: str
) -> None:
    postbox.hang, postbox.cut = way == "hang", way == "cut"
    postbox.status = 500 if way == "500" else 200
    patience = SOON if way == "hang" else SECONDS
    here = replace(desk, allowed=lambda _: True, patience=patience)

    answer = here.post("cloudwatch", subscription(postbox.url))

    assert (answer.status_code, answer.json()["code"]) == (503, "not_confirmed")
    assert int(answer.headers["retry-after"]) > 0


def test_an_address_that_is_none_is_told_so_too(desk: Desk) -> None:
    here = replace(desk, allowed=lambda _: True)

    for url in ("http://[", "no address", "gopher://127.0.0.1/"):
        assert here.post("cloudwatch", subscription(url)).status_code == 503


def test_too_many_at_once_are_told_to_come_again(postbox: Postbox) -> None:
    postbox.hang = True

    async def crowd() -> list[str | BaseException]:
        confirm = Handshakes(lambda _: True, SECONDS).confirm
        asking = asyncio.gather(
            *(confirm(postbox.url) for _ in range(6)), return_exceptions=True
        )
        await eventually(lambda: len(postbox.requests) == 4)
        postbox.closing.set()
        return await asking

    said = [str(each) for each in asyncio.run(crowd())]

    assert sum("others are being confirmed" in each for each in said) == 2
