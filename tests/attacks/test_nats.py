"""Attacks over NATS: with the password of a service, of a source, or with none."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared import subjects
from shared.answer_link import PURPOSE, AnswerLink, token_of
from tests.support.desk import Desk, running_desk
from tests.support.nats_clients import client_of
from tests.support.patience import SECONDS

pytestmark = pytest.mark.servers

OPEN = {"title": "Opened by a thief", "reporter": "lefevre", "channel": "phone"}
LINK = "INC-000001-E1"


@pytest.fixture(scope="module")
def desk(servers_folder: Path) -> Iterator[Desk]:
    folder = servers_folder / "attacks-nats"
    folder.mkdir()
    with running_desk(folder) as desk:
        yield desk


def commanded(
    desk: Desk, aggregate: str, verb: str, user: str = "projections", **message: Any
) -> dict[str, Any]:
    """Return the answer to a command that `user` publishes."""

    async def scenario() -> dict[str, Any]:
        client = await client_of(desk.nats.bus.url(user))
        try:
            answer = await client.request(
                subjects.command(aggregate, verb), orjson.dumps(message), SECONDS
            )
            found: dict[str, Any] = orjson.loads(answer.data)
            return found
        finally:
            await client.close()

    return asyncio.run(scenario())


def token(secret: str) -> dict[str, str]:
    return {"kind": "token", "secret": secret}


def link(desk: Desk, until: datetime, extension: str = LINK) -> dict[str, str]:
    """Return a credential that this desk has signed."""
    log = desk.log()
    key = log.vault.key_for(PURPOSE)
    log.close()
    assert key is not None
    signed = token_of(key, AnswerLink(extension, "roche", until))
    return {"kind": "answer_link", "secret": signed}


@pytest.mark.parametrize("user", ["projections", "admin"])
def test_a_sender_cannot_say_who_it_is(desk: Desk, user: str) -> None:
    answer = commanded(
        desk,
        "incident",
        "open",
        user,
        actor="person:nobody-knows",
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
        desk, aggregate, verb, incident="INC-000001", credential=credential, body=body
    )

    assert answer["status"] == 401, answer


@pytest.mark.parametrize("who", ["source", "auditor"])
def test_a_token_does_over_nats_what_it_may_do_over_http(desk: Desk, who: str) -> None:
    answer = commanded(
        desk, "incident", "open", credential=token(desk.tokens[who]), body=OPEN
    )

    assert answer["status"] == 403
    assert answer["code"] == "scope"


def test_a_link_answers_nothing_but_its_question(desk: Desk) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    yes = {"channel": "web"}

    def answered(credential: dict[str, str], record: str) -> int:
        answer = commanded(
            desk,
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
