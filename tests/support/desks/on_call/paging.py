"""Pages of a running desk, and the answers to them by link and by mail."""

import re
from collections.abc import Collection
from contextlib import closing
from datetime import timedelta
from email.message import EmailMessage
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from shared.domain.events import NotificationRequested
from shared.security.callback_links import PURPOSE, CallbackLink, callback_token
from shared.security.signed_links import USER_LINKS_PURPOSE, UserLink, token_of
from tests.support.builders.on_call.callbacks import twilio_headers
from tests.support.builders.on_call.page_links import page_link_to
from tests.support.desks.notifying import (
    OPENED,
    PUBLIC_URL,
    TWILIO_TOKEN,
    CallingDesk,
)
from tests.support.patience import BUSY, posted, until

ADDRESSES = count(1)


def paged(desk: CallingDesk, **words: Any) -> str:
    """Open an incident and escalate it to N2; return its reference once Bruno has it.

    Escalated by hand, so that the clock can stand still.
    """
    ref = desk.open(**words)
    desk.post(f"/v1/incidents/{ref}/escalate", {"reason": "N2 knows it"})
    desk.until_said(ref, "escalation.paged")
    return ref


def page_of(ref: str, step: int = 0) -> str:
    return f"{ref}.1.1.n2.{step}.1"


def link(
    desk: CallingDesk,
    ref: str,
    who: str = "bruno",
    step: int = 0,
    hours: float = 1,
) -> str:
    """Return a link that this desk has signed, without waiting for its mail."""
    end = OPENED + timedelta(hours=hours)
    return page_link_to(desk.desk.log(), page_of(ref, step), who, end)


def key_pressed(desk: CallingDesk, ref: str, who: str = "bruno") -> httpx.Response:
    """Press 1 in a call about the page that somebody was sent."""

    def keys() -> list[str]:
        requests = (e for e in desk.said(ref) if isinstance(e, NotificationRequested))
        return [e.key for e in requests if (e.kind, e.person) == ("page", who)]

    until(lambda: bool(keys()), f"{who} is paged")
    (key,) = keys()
    log = desk.desk.log()
    signing = log.vault.key_for(PURPOSE) or b""
    log.close()
    called = CallbackLink(ref, key, who, OPENED + timedelta(hours=1))
    path = f"/v1/callbacks/twilio/{callback_token(signing, called)}/key"
    form = {"Digits": "1"}
    signed = twilio_headers(TWILIO_TOKEN, PUBLIC_URL + path, form)
    return posted(desk.desk.intake_url + path, data=form, headers=signed)


def elsewhere() -> dict[str, str]:
    """Return a sender's address of its own: the limit of an address is another test."""
    number = next(ADDRESSES)
    return {"X-Forwarded-For": f"198.18.{number // 256}.{number % 256}"}


def seen(desk: CallingDesk, token: str) -> dict[str, Any]:
    answer = desk.desk.get(f"/v1/page-links/{token}", None)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def answer(
    desk: CallingDesk,
    token: str,
    action: str = "take",
    key: str | None = None,
    retry_on: Collection[int] = BUSY,
) -> httpx.Response:
    return posted(
        f"{desk.desk.api_url}/v1/page-links/{token}",
        json={"action": action, "key": key or uuid4().hex},
        headers=elsewhere(),
        retry_on=retry_on,
    )


def page(desk: CallingDesk, token: str) -> httpx.Response:
    return desk.desk.get(f"/take/{token}", None)


def form(desk: CallingDesk, token: str) -> dict[str, str]:
    """Return the hidden fields of the page."""
    hidden = r'name="(key|csrf)" value="([^"]+)"'
    return dict(re.findall(hidden, page(desk, token).text))


def press(desk: CallingDesk, token: str, action: str, **fields: str) -> httpx.Response:
    """Press a button of the page as a browser does, and follow where it leads."""
    return posted(
        f"{desk.desk.api_url}/take/{token}",
        data={**form(desk, token), "action": action, **fields},
        headers=elsewhere(),
        follow_redirects=True,
    )


def events_of(desk: CallingDesk, ref: str, type_: str) -> list[dict[str, Any]]:
    found = desk.get(f"/v1/incidents/{ref}/events?limit=500", "auditor")["items"]
    return [each["event"] for each in found if each["type"] == type_]


def tto_ended(desk: CallingDesk, ref: str) -> bool:
    """Return whether the promise to take the incident on was met or ended."""
    promises = desk.get(f"/v1/incidents/{ref}")["promises"]
    return any(p["target"] == "tto" and p["ended_at"] for p in promises)


def mailed(desk: CallingDesk, person: str, ref: str) -> EmailMessage:
    """Return the mail by which a person was paged."""

    def found() -> list[EmailMessage]:
        return [
            mail
            for mail in desk.inbox.to(f"{person}@valmont.example")
            if ref in str(mail["subject"])
        ]

    until(lambda: bool(found()), f"a page of {ref}")
    return found()[-1]


def body_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def reply(
    desk: CallingDesk,
    page: EmailMessage,
    words: str,
    who: str = "bruno",
    **headers: str,
) -> dict[str, Any]:
    """Let somebody answer a mail of the desk; return what became of the answer."""
    written = EmailMessage()
    written["From"] = f"{who}@valmont.example"
    written["To"] = "desk@valmont.example"
    written["Subject"] = f"Re: {page['subject']}"
    written["Message-ID"] = f"<{uuid4().hex}@valmont.example>"
    written["In-Reply-To"] = str(page["message-id"])
    for name, value in headers.items():
        written[name.replace("_", "-")] = value
    written.set_content(f"{words}\n\n> {body_of(page).splitlines()[0]}")
    return delivered(desk, written)


def delivered(desk: CallingDesk, mail: EmailMessage) -> dict[str, Any]:
    """Deliver a mail as the desk's mail server does."""
    sent = posted(
        f"{desk.desk.api_url}/v1/contacts/mail",
        content=mail.as_bytes(),
        headers=desk.desk.bearer("agent") | {"Content-Type": "message/rfc822"},
    )
    assert sent.is_success, sent.text
    return dict(sent.json())


def signalled(desk: CallingDesk) -> str:
    """Let monitoring report an incident; return its reference."""
    event = {
        "dedup_key": uuid4().hex,
        "action": "trigger",
        "title": "paie ne répond plus",
        "severity": "critical",
        "service": "paie",
    }
    sent = posted(
        f"{desk.desk.intake_url}/v1/events",
        json=[event],
        headers=desk.desk.bearer("source"),
    )
    return str(sent.json()["results"][0]["incident"])


def user_link(desk: CallingDesk, ref: str) -> str:
    """Return a link of the page of a user, which has a key of its own."""
    with closing(desk.desk.log()) as log:
        key = log.vault.key_for(USER_LINKS_PURPOSE)
    assert key is not None
    return token_of(key, UserLink(ref, "roche", OPENED + timedelta(hours=14)))
