"""Chat and push to a real HTTP server that answers as the providers document."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from services.escalation.notifications.channels.matrix import matrix_channel
from services.escalation.notifications.channels.mattermost import (
    NO_BOT,
    mattermost_channel,
)
from services.escalation.notifications.channels.ntfy import ntfy_channel
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from services.escalation.notifications.channels.slack import slack_channel
from shared.domain.events.notification import Channel
from tests.support.builders.on_call.parcels import (
    ACCEPT,
    KEY,
    PAGE,
    URL,
    Build,
    sent,
    to_contact,
)
from tests.support.servers.webhook_receiver import Postbox, Reply, open_postbox

TOKEN = "xoxb-token-of-ours"
TAKEN = replace(PAGE, urgent=False, accept_url="", is_silent=True)


@dataclass(frozen=True)
class Provider:
    """A channel, its settings at a server, an address, and where it posts to."""

    build: Build
    name: Channel
    to: str
    settings: Callable[[str], dict[str, str]]
    path: str
    accepted: bytes
    receipt: str


_MATRIX = "/_matrix/client/v3/rooms/%21night%3Amatrix.example/send/m.room.message/"
MATTERMOST = Provider(
    mattermost_channel,
    "mattermost",
    "@amina",
    lambda at: {"mattermost_url": at, "mattermost_token": TOKEN},
    "/api/v4/posts",
    b'{"id": "post1", "create_at": 1751269920000}',
    "post1",
)
SLACK = Provider(
    slack_channel,
    "slack",
    "U0123ABCD",
    lambda at: {"slack_url": f"{at}/api", "slack_token": TOKEN},
    "/api/chat.postMessage",
    b'{"ok": true, "channel": "D024BE91L", "ts": "1503435956.000247"}',
    "1503435956.000247",
)
NTFY = Provider(
    ntfy_channel,
    "ntfy",
    "amina-Qx7",
    lambda at: {"ntfy_url": at, "ntfy_token": TOKEN},
    "/",
    b'{"id": "hwQ2YpKdmg", "time": 1635528757, "event": "message"}',
    "hwQ2YpKdmg",
)
MATRIX = Provider(
    matrix_channel,
    "matrix",
    "!night:matrix.example",
    lambda at: {"matrix_url": at, "matrix_token": TOKEN},
    _MATRIX,
    b'{"event_id": "$YUwRidLecu:matrix.example"}',
    "YUwRidLecu:matrix.example",
)
PROVIDERS = (MATTERMOST, SLACK, NTFY, MATRIX)
each_provider = pytest.mark.parametrize(
    "provider", PROVIDERS, ids=lambda each: str(each.name)
)


@pytest.fixture
def server() -> Iterator[Postbox]:
    """Give a server that knows the bot and amina, as Mattermost does."""
    with open_postbox() as postbox:
        postbox.replies |= {
            "/api/v4/users/me": Reply(b'{"id": "bot1"}'),
            "/api/v4/users/username/amina": Reply(b'{"id": "amina1"}'),
            "/api/v4/channels/direct": Reply(b'{"id": "room1"}', 201),
        }
        yield postbox


def page(server: Postbox, provider: Provider, times: int = 1) -> Outcome:
    parcel = to_contact(provider.name, provider.to)
    settings = provider.settings(server.origin)
    return sent(provider.build, parcel, settings, times)


def last(server: Postbox) -> Any:
    return json.loads(server.requests[-1].body)


@each_provider
def test_a_page_is_accepted_and_the_provider_names_it(
    server: Postbox, provider: Provider
) -> None:
    server.status, server.body = 200, provider.accepted

    assert page(server, provider) == Delivered(provider.receipt)
    request = server.requests[-1]
    assert request.path.startswith(provider.path)
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


@each_provider
def test_a_repeat_carries_the_same_key(server: Postbox, provider: Provider) -> None:
    server.status, server.body = 200, provider.accepted
    page(server, provider, times=2)

    first, second = [r for r in server.requests if r.path.startswith(provider.path)]
    assert (first.path, first.body) == (second.path, second.body)


def test_in_mattermost_the_bot_writes_to_the_person_with_a_button(
    server: Postbox,
) -> None:
    server.status, server.body = 201, MATTERMOST.accepted
    page(server, MATTERMOST)

    assert json.loads(server.requests[2].body) == ["bot1", "amina1"]
    post = last(server)
    assert post["channel_id"] == "room1"
    assert post["pending_post_id"] == f"bot1:{KEY}"
    (attachment,) = post["props"]["attachments"]
    (button,) = attachment["actions"]
    assert (button["name"], button["integration"]["url"]) == ("I take it", ACCEPT)
    assert button["integration"]["context"]["action"] == "take"
    assert r"CPU \<95 %" in post["message"]


def test_in_mattermost_the_bot_writes_to_the_channel_of_a_team_once(
    server: Postbox,
) -> None:
    server.status, server.body = 201, MATTERMOST.accepted
    room = "4xp9fdt77pncbef59f4k1qe83o"
    message = replace(TAKEN, summary="@channel: look")
    parcel = replace(to_contact("mattermost", room, message), is_of_team=True)
    outcome = sent(mattermost_channel, parcel, MATTERMOST.settings(server.origin))

    assert outcome == Delivered(MATTERMOST.receipt)
    assert [each.path for each in server.requests] == [
        "/api/v4/users/me",
        "/api/v4/posts",
    ]
    post = last(server)
    assert (post["channel_id"], post["pending_post_id"]) == (room, f"bot1:{KEY}")
    assert "props" not in post
    # Mattermost finds a mention whatever is escaped, but not across this space.
    assert "@channel" not in post["message"].replace("\\", "")


def test_an_incoming_webhook_of_mattermost_writes_to_no_channel_of_a_team(
    server: Postbox,
) -> None:
    parcel = replace(to_contact("mattermost", "x" * 26), is_of_team=True)
    hook = {"mattermost_webhook_url": f"{server.origin}/hooks/secret"}

    assert sent(mattermost_channel, parcel, hook) == Failed(NO_BOT, permanent=True)
    assert server.requests == []


@pytest.mark.parametrize(
    ("provider", "field", "silent"),
    [(NTFY, "priority", 2), (MATRIX, "msgtype", "m.notice")],
    ids=["ntfy", "matrix"],
)
def test_that_somebody_took_it_makes_no_phone_ring(
    server: Postbox, provider: Provider, field: str, silent: object
) -> None:
    server.status, server.body = 200, provider.accepted
    parcel = to_contact(provider.name, provider.to, TAKEN)
    sent(provider.build, parcel, provider.settings(server.origin))

    assert last(server)[field] == silent


def test_without_a_link_to_take_it_there_is_no_button(server: Postbox) -> None:
    server.status, server.body = 201, MATTERMOST.accepted
    parcel = to_contact("mattermost", "@amina", replace(PAGE, accept_url=""))
    sent(mattermost_channel, parcel, MATTERMOST.settings(server.origin))

    assert "props" not in last(server)


def test_without_a_bot_an_incoming_webhook_writes_to_the_person(
    server: Postbox,
) -> None:
    server.status, server.body = 200, b"ok"
    hook = f"{server.origin}/hooks/xyz"
    parcel = to_contact("mattermost", "amina")

    outcome = sent(mattermost_channel, parcel, {"mattermost_webhook_url": hook})

    assert outcome == Delivered("accepted")
    assert server.requests[-1].path == "/hooks/xyz"
    assert last(server)["channel"] == "@amina"


def test_slack_gets_a_message_id_and_opens_no_link_by_itself(server: Postbox) -> None:
    server.status, server.body = 200, SLACK.accepted
    page(server, SLACK)

    message = last(server)
    assert message["channel"] == "U0123ABCD"
    assert message["text"].endswith("CPU &lt;95 %")
    assert message["unfurl_links"] is False
    assert len(message["client_msg_id"]) == 36
    section, actions = message["blocks"]
    assert section["text"]["text"] == PAGE.line
    assert [each["url"] for each in actions["elements"]] == [ACCEPT, URL]


def test_ntfy_gets_the_highest_priority_for_a_page(server: Postbox) -> None:
    server.status, server.body = 200, NTFY.accepted
    page(server, NTFY)
    urgent = last(server)
    notice = to_contact("ntfy", "amina-Qx7", replace(PAGE, urgent=False))
    sent(ntfy_channel, notice, NTFY.settings(server.origin))

    assert (urgent["topic"], urgent["priority"]) == ("amina-Qx7", 5)
    assert (urgent["title"], urgent["message"]) == (PAGE.incident, PAGE.summary)
    assert urgent["actions"][0] == {
        "action": "view",
        "label": "I take it",
        "url": ACCEPT,
        "clear": True,
    }
    assert last(server)["priority"] == 4


def test_matrix_gets_a_put_that_mentions_the_room(server: Postbox) -> None:
    server.status, server.body = 200, MATRIX.accepted
    page(server, MATRIX)

    assert server.requests[-1].method == "PUT"
    content = last(server)
    assert content["msgtype"] == "m.text"
    assert content["m.mentions"] == {"room": True}
    assert "CPU &lt;95 %" in content["formatted_body"]


@pytest.mark.parametrize(
    ("provider", "status", "body", "reason", "permanent"),
    [
        (MATTERMOST, 403, b'{"id": "api.context.permissions.app_error"}',
         "HTTP 403 (api.context.permissions.app_error)", True),
        (MATTERMOST, 401, b'{"id": "api.context.session_expired.app_error"}',
         "check the settings", False),
        (SLACK, 200, b'{"ok": false, "error": "channel_not_found"}',
         "Slack refused it (channel_not_found)", True),
        (SLACK, 200, b'{"ok": false, "error": "internal_error"}',
         "internal_error", False),
        (SLACK, 200, b'{"ok": false, "error": "invalid_auth"}',
         "PERMANENCE_SLACK_TOKEN", False),
        (NTFY, 413, b'{"code": 41301, "http": 413, "error": "too large"}',
         "HTTP 413 (41301)", True),
        (NTFY, 507, b'{"code": 50701, "http": 507, "error": "anonymous"}',
         "HTTP 507 (50701)", False),
        (MATRIX, 403, b'{"errcode": "M_FORBIDDEN", "error": "not in room"}',
         "HTTP 403 (M_FORBIDDEN)", True),
        (MATRIX, 404, b"<html>amina@example.org</html>", "HTTP 404", True),
        (NTFY, 302, b"", "moved", True),
    ],
)  # fmt: skip
def test_a_refusal_is_told_by_its_code_only(
    server: Postbox,
    provider: Provider,
    status: int,
    body: bytes,
    reason: str,
    permanent: bool,  # a column of the table
) -> None:
    server.status, server.body = status, body
    server.headers = {"location": server.url} if status == 302 else {}

    outcome = page(server, provider)

    assert isinstance(outcome, Failed)
    assert reason in outcome.reason
    assert outcome.permanent is permanent
    assert TOKEN not in outcome.reason
    assert "amina" not in outcome.reason


IN_THE_BODY = b'{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 30000}'


@pytest.mark.parametrize(
    ("provider", "headers", "body"),
    [
        *((each, {"retry-after": "30"}, b"") for each in PROVIDERS),
        (MATRIX, {}, IN_THE_BODY),  # as older homeservers say it
    ],
)
def test_a_provider_that_is_asked_too_often_says_when_to_come_again(
    server: Postbox, provider: Provider, headers: dict[str, str], body: bytes
) -> None:
    server.status, server.headers, server.body = 429, headers, body

    outcome = page(server, provider)

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.retry_after) == (False, timedelta(seconds=30))


@each_provider
@pytest.mark.parametrize("trouble", ["cut", "endless"])
def test_a_provider_that_hangs_up_or_never_ends_may_do_better(
    server: Postbox, provider: Provider, trouble: str
) -> None:
    server.status = 500
    setattr(server, trouble, True)

    outcome = page(server, provider)

    assert isinstance(outcome, Failed)
    assert not outcome.permanent


@each_provider
@pytest.mark.parametrize("to", ["", "../../users", "a b", "amina@example.org"])
def test_what_is_no_address_of_the_channel_is_sent_nowhere(
    server: Postbox, provider: Provider, to: str
) -> None:
    parcel = to_contact(provider.name, to)

    outcome = sent(provider.build, parcel, provider.settings(server.origin))

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert outcome.reason.startswith("the address is not")
    assert server.requests == []


@each_provider
def test_a_channel_without_settings_says_which_to_set(provider: Provider) -> None:
    outcome = sent(provider.build, to_contact(provider.name, provider.to), {})

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert f"PERMANENCE_{provider.name.upper()}" in outcome.reason
