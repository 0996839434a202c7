"""Credentials that attackers of a desk present over NATS: tokens, and stolen links."""

from datetime import UTC, datetime, timedelta

import orjson

from shared.security.access import create
from shared.security.signed_links import PURPOSE, AnswerLink, token_of
from tests.support.builders.on_call.page_links import page_link_to
from tests.support.builders.user_links import link_to
from tests.support.desks.running import Desk
from tests.support.servers.nats_clients import commanded

OPEN = {"title": "Opened by a thief", "reporter": "lefevre", "channel": "phone"}
LINK = "INC-000001-E1"


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


def user_link_of(desk: Desk) -> tuple[str, str]:
    """Return an incident of Lefevre's, and the link to it."""
    log = desk.log()
    with log.transaction() as cursor:
        cursor.execute(
            "INSERT INTO directory.people (id, name, email, updated_at)"
            " VALUES ('lefevre', 'Lefevre', 'l@valmont.example', now())"
        )
    opened = commanded(
        desk.nats.bus,
        "incident",
        "open",
        credential=token(desk.tokens["agent"]),
        body=OPEN,
    )
    ref = str(opened["incident"])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return ref, link_to(log, ref, "lefevre", tomorrow)


def page_link_of(desk: Desk) -> tuple[str, str]:
    """Return an incident, and a link that could be in a page about it."""
    credential = token(desk.tokens["agent"])
    body = OPEN | {"title": "An expert is needed"}
    opened = commanded(
        desk.nats.bus, "incident", "open", credential=credential, body=body
    )
    ref = str(opened["incident"])
    log = desk.log()
    with log.transaction() as cursor:
        create(cursor, datetime.now(UTC), "person:expert", ["agent"])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return ref, page_link_to(log, f"{ref}.1.1.n2.0.1", "expert", tomorrow)


def key_of(desk: Desk, source: str, lives: timedelta = timedelta(days=1)) -> str:
    """Return a new key of a source."""
    now = datetime.now(UTC)
    log = desk.log()
    with log.transaction() as cursor:
        made = create(
            cursor, now, f"source:{source}", ["source"], expires_at=now + lives
        )
    log.close()
    return made.token


def signal(number: str, action: str = "trigger") -> bytes:
    return orjson.dumps({"action": action, "title": number, "dedup_key": number})
