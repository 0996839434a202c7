"""Bundles of pages on a running desk, as escalation records them, and their links."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import httpx

from services.escalation.rules.context import BY
from shared.domain.events.notification import (
    BundleMember,
    NotificationBundled,
    NotificationRequested,
)
from shared.domain.identifiers import escalation_stream
from shared.eventlog.append import AppendUnit
from shared.security.callback_links import PURPOSE, CallbackLink, callback_token
from shared.security.signed_links import BUNDLE_LINKS_PURPOSE, BundleLink, token_of
from tests.support.builders.on_call.callbacks import twilio_headers
from tests.support.desks.notifying import (
    OPENED,
    PUBLIC_URL,
    TWILIO_TOKEN,
    CallingDesk,
)
from tests.support.desks.on_call.paging import elsewhere
from tests.support.patience import posted, until


def bundled(desk: CallingDesk, refs: Sequence[str], person: str = "bruno") -> str:
    """Record that the pages of these incidents left together; return the key."""
    desk.until_quiet()
    event = NotificationBundled(
        at=OPENED,
        by=BY,
        incident=refs[0],
        bundle=f"{refs[0]}.{uuid4().hex}",
        person=person,
        channel="sms",
        members=tuple(
            BundleMember(incident=ref, key=_page_key(desk, ref, person)) for ref in refs
        ),
    )
    stream = escalation_stream(refs[0])
    with closing(desk.desk.log()) as log, log.transaction() as cursor:
        stored = log.stored(stream, log.head_version(stream) + 1, event)
        log.append(cursor, [AppendUnit((stored,))])
    desk.until_read()
    return event.bundle


def bundle_link(
    desk: CallingDesk,
    bundle: str,
    who: str = "bruno",
    epoch: str = "",
    hours: float = 1,
) -> str:
    """Return a link to a bundle that this desk has signed."""
    with closing(desk.desk.log()) as log:
        key = log.vault.key_for(BUNDLE_LINKS_PURPOSE)
    assert key is not None
    end = OPENED + timedelta(hours=hours)
    return token_of(key, BundleLink(bundle, who, end, epoch))


def take_all(
    desk: CallingDesk, token: str, action: str = "take", key: str | None = None
) -> httpx.Response:
    return posted(
        f"{desk.desk.api_url}/v1/bundle-links/{token}",
        json={"action": action, "key": key or uuid4().hex},
        headers=elsewhere(),
    )


def key_pressed_for_all(
    desk: CallingDesk, bundle: str, who: str = "bruno"
) -> httpx.Response:
    """Press 1 in the call about a bundle."""
    with closing(desk.desk.log()) as log:
        signing = log.vault.key_for(PURPOSE) or b""
    end = OPENED + timedelta(hours=1)
    called = CallbackLink(bundle.partition(".")[0], bundle, who, end)
    path = f"/v1/callbacks/twilio/{callback_token(signing, called)}/key"
    form = {"Digits": "1"}
    signed = twilio_headers(TWILIO_TOKEN, PUBLIC_URL + path, form)
    return posted(desk.desk.intake_url + path, data=form, headers=signed)


def _page_key(desk: CallingDesk, ref: str, person: str) -> str:
    def keys() -> list[str]:
        requests = (e for e in desk.said(ref) if isinstance(e, NotificationRequested))
        return [e.key for e in requests if (e.kind, e.person) == ("page", person)]

    until(lambda: bool(keys()), f"{person} is paged")
    return keys()[0]
