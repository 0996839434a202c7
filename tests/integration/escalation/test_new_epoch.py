"""What leaves in a new epoch of the log has keys and links of its own."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.epochs import Epoch
from tests.support.builders.on_call.page_links import page_link_to
from tests.support.builders.promises import local
from tests.support.desks.notifying import OPENED, CallingDesk, calling_desk
from tests.support.desks.on_call.paging import (
    answer,
    body_of,
    mailed,
    page_of,
    paged,
    seen,
)
from tests.support.desks.running import SERVICES
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until

pytestmark = pytest.mark.servers


@pytest.fixture
def desk() -> Iterator[CallingDesk]:
    with reachable_folder() as folder, calling_desk(folder) as running:
        yield running


def renewed(desk: CallingDesk) -> Epoch:
    """Begin a new epoch; return once every service knows."""
    renewal = Renewal("restore", "a test", "person:root", datetime.now(UTC))
    with closing(desk.desk.log()) as log:
        epoch = renew(log, renewal, None)
    for name in SERVICES:
        until(lambda name=name: _epoch(desk, name) == 2, f"{name} knows")  # type: ignore[misc]
    return epoch


def _epoch(desk: CallingDesk, name: str) -> float:
    url = f"http://127.0.0.1:{desk.desk.ports[name]}/health/ready"
    checks = httpx.get(url, timeout=SECONDS).json()["checks"]
    found = (each.get("epoch", 0) for each in checks if each["kind"] == "continuity")
    return float(next(found, 0))


def test_keys_and_links_name_the_epoch_after_the_first(desk: CallingDesk) -> None:
    desk.open()
    desk.desk.move_to(local("09:30"))
    until(lambda: len(desk.postbox.requests) >= 1, "a page")
    until(lambda: len(desk.letters) >= 1, "a mail")
    desk.until_quiet()
    pages, mails = len(desk.postbox.requests), len(desk.letters)

    epoch = renewed(desk)
    desk.open(reporter="costa")
    desk.desk.move_to(local("09:50"))
    until(lambda: len(desk.postbox.requests) > pages, "another page")
    until(lambda: len(desk.letters) > mails, "another mail")
    desk.until_quiet()

    keys = [each.headers["idempotency-key"] for each in desk.postbox.requests]
    assert not any("@" in key for key in keys[:pages])
    assert all(key.endswith(f"@{epoch.label}") for key in keys[pages:])
    bodies = [json.loads(each.body) for each in desk.postbox.requests]
    assert [body["id"] for body in bodies] == keys
    named = [str(mail["Idempotency-Key"]) for mail in desk.letters]
    assert not any("@" in key for key in named[:mails])
    assert all(key.endswith(f"@{epoch.label}") for key in named[mails:])

    ref, until_then = paged(desk), OPENED + timedelta(hours=2)
    links = [
        page_link_to(desk.desk.log(), page_of(ref), "bruno", until_then, label)
        for label in ("", epoch.label)
    ]

    assert [answer(desk, each).status_code for each in links] == [404, 200]
    (mailed_link,) = re.findall(r"/take/([\w-]+)", body_of(mailed(desk, "bruno", ref)))
    assert seen(desk, mailed_link)["state"] == "yours"
