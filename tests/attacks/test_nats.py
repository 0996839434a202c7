"""Attacks over NATS: with the password of a service, of a source, or with none."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.messaging import subjects
from shared.security.access import revoke
from tests.support.builders.nats_credentials import (
    LINK,
    OPEN,
    key_of,
    link,
    page_link_of,
    signal,
    token,
    user_link_of,
)
from tests.support.desks.running import POLICY, Desk, Setting, running_desk
from tests.support.patience import SECONDS, answered, eventually, until
from tests.support.servers.nats_clients import (
    commanded,
    connected,
    connected_to,
    refused_at_the_door,
    until_let_in,
)

pytestmark = pytest.mark.servers

OWN = {"person": "lefevre", "channel": "web", "words": "The words of a thief"}
SOURCES = """sources:
  signed: {type: native, signature: {scheme: github, secret: "env:NOWHERE"}}
  here: {type: native, nats: true, allow_from: [127.0.0.0/8]}
  elsewhere: {type: native, nats: true, allow_from: [192.0.2.0/24]}
"""


@pytest.fixture(scope="module")
def desk(servers_folder: Path) -> Iterator[Desk]:
    folder = servers_folder / "attacks-nats"
    folder.mkdir()
    policy = folder / "policy.yaml"
    written = POLICY.read_text(encoding="utf-8").replace("sources:\n", SOURCES)
    policy.write_text(written, encoding="utf-8")
    with running_desk(folder, setting=Setting(policy)) as desk:
        yield desk


@pytest.fixture(scope="module")
def user_link(desk: Desk) -> tuple[str, str]:
    """Return an incident of Lefevre's, and the link to it."""
    return user_link_of(desk)


@pytest.fixture(scope="module")
def page_link(desk: Desk) -> tuple[str, str]:
    """Return an incident, and a link that could be in a page about it."""
    return page_link_of(desk)


@pytest.mark.parametrize("user", ["projections", "admin"])
def test_a_sender_cannot_say_who_it_is(desk: Desk, user: str) -> None:
    answer = commanded(
        desk.nats.bus,
        "incident",
        "open",
        user,
        actor="person:boss",
        scopes=["admin"],
        body=OPEN,
    )

    assert answer["status"] == 422
    assert [error["loc"] for error in answer["errors"]][:2] == [["actor"], ["scopes"]]


@pytest.mark.parametrize(
    ("aggregate", "verb", "body"),
    [
        ("incident", "open", OPEN),
        ("problem", "identify", {"title": "A thief's problem"}),
        ("escalation", "escalate", {"reason": "for a thief"}),
        ("sla", "propose", {"new_due_at": "2030-01-01T00:00:00Z", "reason": "x"}),
        ("sla", "preview_move", {"to": 1}),
    ],
)
@pytest.mark.parametrize(
    "credential",
    [
        None,
        token("pmn_0123456789ab_" + 43 * "A"),
        token("' OR true --"),
        {"kind": "answer_link", "secret": "bm90IHNpZ25lZA"},
    ],
    ids=["none", "unknown", "malformed", "unsigned link"],
)
def test_every_owner_refuses_a_command_without_a_good_credential(
    desk: Desk,
    aggregate: str,
    verb: str,
    body: dict[str, Any],
    credential: dict[str, str] | None,
) -> None:
    answer = commanded(
        desk.nats.bus,
        aggregate,
        verb,
        incident="INC-000001",
        credential=credential,
        body=body,
    )

    assert answer["status"] == 401, answer


def test_no_owner_publishes_an_answer_as_an_event(desk: Desk) -> None:
    """The sender names where the answer goes, and the owner may publish there."""

    async def published() -> object:
        forged = subjects.event("forged.answer")
        opening = subjects.command("incident", "open")
        async with (
            connected_to(desk.nats.bus.url("projections")) as thief,
            connected_to(desk.nats.bus.url("admin")) as admin,
        ):
            await thief.publish(opening, b"{}", reply=forged)
            await thief.request(opening, b"{}", SECONDS)
            stream = admin.jetstream()
            events = await stream.stream_info(subjects.EVENTS_STREAM, forged)
        return events.state.subjects

    assert not asyncio.run(published())


@pytest.mark.parametrize("who", ["source", "auditor"])
def test_a_token_does_over_nats_what_it_may_do_over_http(desk: Desk, who: str) -> None:
    answer = commanded(
        desk.nats.bus, "incident", "open", credential=token(desk.tokens[who]), body=OPEN
    )

    assert answer["status"] == 403
    assert answer["code"] == "scope"


def test_a_link_answers_nothing_but_its_question(desk: Desk) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    yes = {"channel": "web"}

    def answered(credential: dict[str, str], record: str) -> int:
        answer = commanded(
            desk.nats.bus,
            "sla",
            "accept",
            incident="INC-000001",
            record=record,
            credential=credential,
            body=yes,
        )
        return int(answer["status"])

    assert answered(link(desk, soon), "INC-000001-E2") == 403
    assert answered(link(desk, soon - timedelta(days=2)), LINK) == 409
    assert answered(link(desk, soon), LINK) == 404  # nothing was asked


@pytest.mark.parametrize(
    ("aggregate", "verb", "incident", "body"),
    [
        ("incident", "open", None, OPEN),
        ("incident", "inform", "INC-000007", {"message": "A thief's news"}),
        ("escalation", "escalate", "INC-000007", {"reason": "for a thief"}),
        ("sla", "accept", "INC-000007", {"channel": "web"}),
        ("sla", "preview_move", None, {"to": 1}),
    ],
)
def test_a_link_that_the_api_was_given_commands_nothing_else(
    desk: Desk,
    aggregate: str,
    verb: str,
    incident: str | None,
    body: dict[str, Any],
) -> None:
    given = link(desk, datetime.now(UTC) + timedelta(days=1))

    answer = commanded(
        desk.nats.bus,
        aggregate,
        verb,
        incident=incident,
        record=LINK,
        credential=given,
        body=body,
    )

    assert (answer.get("status"), answer.get("code")) == (403, "scope"), answer


@pytest.mark.parametrize(
    ("aggregate", "verb", "body"),
    [
        ("incident", "attach", OWN),
        ("incident", "resolve", {}),
        ("incident", "inform", {"message": "A thief's news"}),
        ("incident", "close", {"note": "Closed by a thief"}),
        ("incident", "reopen", {"cause": "agent"}),
        ("incident", "attach", OWN | {"person": "roche"}),
        ("incident", "attach", OWN | {"channel": "phone"}),
        ("escalation", "escalate", {"reason": "for a thief"}),
        ("sla", "propose", {"new_due_at": "2040-01-01T00:00:00Z", "reason": "later"}),
    ],
)
def test_a_link_of_a_user_commands_nothing_but_what_the_page_sends(
    desk: Desk, user_link: tuple[str, str], aggregate: str, verb: str, body: Any
) -> None:
    incident = "INC-000999" if body == OWN else None  # another's
    ref, secret = user_link
    answer = commanded(
        desk.nats.bus,
        aggregate,
        verb,
        incident=incident or ref,
        credential={"kind": "user_link", "secret": secret},
        body=body,
    )

    assert (answer.get("status"), answer.get("code")) == (403, "scope"), answer


@pytest.mark.parametrize(
    ("aggregate", "verb", "body"),
    [
        ("escalation", "take_page", {"page": "INC-000999.1.1.n2.0.1", "via": "link"}),
        ("escalation", "take_page", {"page": "{ref}.1.1.n2.1.1", "via": "link"}),
        ("escalation", "accept", {}),
        ("escalation", "escalate", {"reason": "for a thief"}),
        ("incident", "acknowledge", {}),  # before the incident is accepted by the link
        ("incident", "assign", {"team": "support", "assignee": "expert"}),
        ("incident", "resolve", {}),
        ("incident", "attach", OWN | {"person": "expert"}),
    ],
)
def test_a_page_link_commands_nothing_but_the_answers_to_its_page(
    desk: Desk, page_link: tuple[str, str], aggregate: str, verb: str, body: Any
) -> None:
    ref, secret = page_link
    named = {
        name: value.format(ref=ref) if isinstance(value, str) else value
        for name, value in body.items()
    }
    answer = commanded(
        desk.nats.bus,
        aggregate,
        verb,
        incident=ref,
        credential={"kind": "page_link", "secret": secret},
        body=named,
    )

    assert (answer.get("status"), answer.get("code")) == (403, "scope"), answer


def test_a_source_publishes_as_itself_and_does_nothing_else(desk: Desk) -> None:
    bus, attempts = desk.nats.bus, len(FORBIDDEN_TO_PUBLISH) + len(FORBIDDEN_TO_READ)

    async def scenario() -> list[str]:
        key = key_of(desk, "demo")
        async with connected(bus, "demo", key, "_INBOX_demo") as (
            client,
            refused,
        ):
            taken = await client.jetstream().publish(
                "desk.signal.demo", signal("own"), timeout=SECONDS
            )
            assert taken.stream == subjects.SIGNALS_STREAM
            for subject in FORBIDDEN_TO_PUBLISH:
                await client.publish(subject, signal("forged"))
            for subject in FORBIDDEN_TO_READ:
                await client.subscribe(subject)
            await eventually(lambda: len(refused) == attempts)
            return refused

    assert all("permissions violation" in each for each in asyncio.run(scenario()))


def test_a_source_that_uses_the_ids_of_another_one_hides_none_of_its_signals(
    desk: Desk,
) -> None:
    event = {"Nats-Msg-Id": "guessed"}
    demo, here = desk.tokens["source"], key_of(desk, "here")

    async def scenario() -> None:
        async with (
            connected(desk.nats.bus, "here", here, "_INBOX_here") as (thief, _),
            connected(desk.nats.bus, "demo", demo, "_INBOX_demo") as (rightful, _),
        ):
            before, own = thief.jetstream(), rightful.jetstream()
            await before.publish(
                "desk.signal.here", signal("1"), timeout=SECONDS, headers=event
            )

            async def kept() -> bool:
                taken = await own.publish(
                    "desk.signal.demo", signal("1"), timeout=SECONDS, headers=event
                )
                return not taken.duplicate

            await asyncio.wait_for(eventually(kept), SECONDS / 4)

    asyncio.run(scenario())


FORBIDDEN_TO_PUBLISH = (
    "desk.signal.prometheus",
    "desk.signal.@monitor.prometheus",
    "desk.event.incident.opened",
    "desk.command.incident.resolve",
    "$JS.API.STREAM.NAMES",
    "$JS.API.CONSUMER.MSG.NEXT.DESK_SIGNALS.intake",
    "$SYS.REQ.USER.AUTH",
    "_INBOX_intake.forged",
)
FORBIDDEN_TO_READ = (
    ">",
    "desk.signal.demo",
    "desk.event.>",
    "_INBOX.>",
    "_INBOX_prometheus.>",
    "$SYS.REQ.USER.AUTH",
)


@pytest.mark.parametrize(
    ("user", "who"),
    [
        ("prometheus", "source"),
        ("intake", "source"),
        ("monitor", "source"),
        ("nadia", "agent"),
        (None, "agent"),
        ("root", "admin"),
    ],
)
def test_a_key_opens_only_its_own_source(
    desk: Desk, user: str | None, who: str
) -> None:
    assert refused_at_the_door(desk.nats.bus, user, desk.tokens[who])


@pytest.mark.parametrize("source", ["signed", "elsewhere"])
def test_a_source_that_must_sign_or_send_from_its_networks_is_refused(
    desk: Desk, source: str
) -> None:
    assert refused_at_the_door(desk.nats.bus, source, key_of(desk, source))


def test_keys_that_are_not_good_are_refused_and_good_ones_are_not(desk: Desk) -> None:
    bus = desk.nats.bus
    assert refused_at_the_door(bus, "demo", "pmn_0123456789ab_" + 43 * "A")
    assert refused_at_the_door(bus, "demo", "' OR true --")
    assert refused_at_the_door(bus, "demo", key_of(desk, "demo", timedelta(-1)))
    until_let_in(bus, "demo", desk.tokens["source"])
    until_let_in(bus, None, desk.tokens["source"])
    until_let_in(bus, "here", key_of(desk, "here"))


@pytest.mark.parametrize(
    ("user", "source", "why"),
    [
        ("monitor", "prometheus", "refuses the NATS user `monitor`"),
        ("admin", "nobody-knows", "nobody knows the source"),
        ("admin", "signed", "has to sign"),
    ],
)
def test_signals_that_nobody_vouches_for_are_quarantined(
    desk: Desk, user: str, source: str, why: str
) -> None:
    name = f"{user}-{source}"

    async def publish() -> None:
        async with connected_to(desk.nats.bus.url(user)) as client:
            await client.jetstream().publish(
                f"desk.signal.{source}", signal(name), timeout=SECONDS
            )

    asyncio.run(publish())

    def reasons() -> list[str]:
        url = f"{desk.intake_url}/v1/quarantine?source={source}"
        who = desk.bearer("manager")
        answer = answered(lambda: httpx.get(url, headers=who, timeout=SECONDS))
        return [item["reason"] for item in answer.json()["items"]]

    until(lambda: bool(reasons()), "the signal is in quarantine")
    assert why in reasons()[0]


def test_who_is_connected_stays_so_while_intake_is_away(desk: Desk) -> None:
    bus = desk.nats.bus

    async def scenario() -> None:
        key = desk.tokens["source"]
        async with connected(bus, "demo", key, "_INBOX_demo") as (client, _):
            await client.flush()
            desk.services["intake"].kill()
            kept = await client.jetstream().publish(
                "desk.signal.demo", signal("while-away"), timeout=SECONDS
            )
            assert kept.stream == subjects.SIGNALS_STREAM
            assert await asyncio.to_thread(refused_at_the_door, bus, "demo", key)

    try:
        asyncio.run(scenario())
    finally:
        desk.services["intake"].start()
        desk.wait_ready(["intake"])
    until_let_in(bus, "demo", desk.tokens["source"])


def test_a_revoked_key_ends_the_connection_it_opened_and_no_other(desk: Desk) -> None:
    stolen, own = key_of(desk, "demo"), desk.tokens["source"]

    async def scenario() -> None:
        async with (
            connected(desk.nats.bus, "demo", stolen) as (thief, _),
            connected(desk.nats.bus, "demo", own) as (rightful, _),
        ):
            await thief.flush()
            revoked(desk, stolen)
            await eventually(lambda: not thief.is_connected)
            assert rightful.is_connected

    asyncio.run(scenario())


def revoked(desk: Desk, key: str) -> None:
    log = desk.log()
    with log.transaction() as cursor:
        assert revoke(cursor, key.split("_")[1], datetime.now(UTC))
    log.close()
