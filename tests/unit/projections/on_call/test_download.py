"""Calendars are downloaded from the internet only, and no more than a file may have."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from services.projections.shift_files.download import downloaded
from shared.http.networks import LOOPBACK, Networks
from shared.http.problem_details import HttpError
from tests.support.servers.webhook_receiver import Reply, open_postbox

_OK = Reply(b"BEGIN:VCALENDAR", 200)


def answer_to(reply: Reply, allowed: Networks = LOOPBACK, **more: Any) -> str:
    with open_postbox() as postbox:
        postbox.replies["/hook"] = reply
        for name, value in more.items():
            setattr(postbox, name, value)
        return asyncio.run(downloaded(postbox.url, allowed))


def test_a_calendar_is_downloaded_as_it_is() -> None:
    assert answer_to(_OK) == "BEGIN:VCALENDAR"


@pytest.mark.parametrize(
    ("reply", "more", "why"),
    [
        (replace(_OK, status=404), {}, "HTTP 404"),
        (_OK, {"endless": True}, "more than 1048576 bytes"),
        (replace(_OK, body=b"\xff"), {}, "not UTF-8"),
        (replace(_OK, headers={"Content-Encoding": "gzip"}), {}, "compressed"),
        (Reply(b"", 302, {"Location": "http://10.0.0.1/"}), {}, "own network"),
        (Reply(b"", 302, {"Location": "/hook"}), {}, "does not answer"),
        (_OK, {"cut": True}, "does not answer"),
        (_OK, {"allowed": ()}, "own network"),
    ],
)
def test_an_address_that_gives_no_calendar_is_refused_with_a_reason(
    reply: Reply, more: dict[str, Any], why: str
) -> None:
    with pytest.raises(HttpError, match=why) as no:
        answer_to(reply, **more)

    assert no.value.details.code == "unusable_address"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/", "x", ""])
def test_an_address_is_one_of_the_web(url: str) -> None:
    with pytest.raises(HttpError, match="does not answer"):
        asyncio.run(downloaded(url, LOOPBACK))
