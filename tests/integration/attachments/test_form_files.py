"""Who reports by the form sends screenshots along, without an account or a script."""

from typing import Any

import httpx
import pytest

from shared.contacts.endpoints import FORM_BYTES_MAX
from shared.domain import events
from tests.support.desks.attachments import LIMITS, FileDesk
from tests.support.mail.sent_files import form, picture
from tests.support.patience import SECONDS

pytestmark = pytest.mark.servers

TOLD = {
    "email": "costa@valmont.example",
    "words": "The portal is blank.",
    "service": "mail",
    "lang": "en",
}


def sent(
    desk: FileDesk, path: str, name: str, content: bytes, *, key: str, **more: str
) -> httpx.Response:
    fields = {**TOLD, "key": key, **more}
    body, kind = form(name, content, **fields)
    return desk.api.call("POST", path, who=None, headers=kind, content=body)


def reference(page: str) -> str:
    return page.partition('id="reference">')[2].partition("<")[0]


@pytest.mark.parametrize("at", ["the API", "intake itself"])
def test_a_screenshot_is_attached_to_what_was_reported(desk: FileDesk, at: str) -> None:
    body, kind = form(
        "screen.png", picture(), **TOLD, key=at.replace(" ", "-") + "0" * 16
    )
    url = desk.api.url if at == "the API" else desk.intake_url

    page = httpx.post(f"{url}/report", content=body, headers=kind, timeout=SECONDS)

    assert page.status_code == 201, page.text
    ref = reference(page.text)
    (file,) = desk.files(ref)
    assert (file["name"], file["channel"], file["person"]) == (
        "screen.png",
        "web",
        "costa",
    )
    assert desk.get(ref, file["attachment"]).content == picture()
    if at == "the API":
        assert "<time" in page.text  # the promises are there too


def test_the_form_without_a_file_is_taken_as_before(desk: FileDesk) -> None:
    page = sent(desk, "/report", "", b"", key="no-file-chosen-0000000000000000")

    assert page.status_code in {201, 503}  # nobody listens on NATS here
    assert "too large" not in page.text


def test_a_report_is_never_refused_for_its_file_which_is_noted_and_named(
    desk: FileDesk,
) -> None:
    big = b"x" * (LIMITS.bytes_max + 1)

    page = sent(desk, "/report", "<b>big.txt", big, key="a-big-file-0000000000000000")

    assert page.status_code == 201
    assert "&lt;b&gt;big.txt: it is larger than the desk accepts" in page.text
    ref = reference(page.text)
    assert any(isinstance(e, events.IncidentFileLeftOut) for e in desk.history(ref))
    assert not desk.files(ref)


def test_the_same_report_with_one_more_file_gets_it_too(desk: FileDesk) -> None:
    first = sent(
        desk, "/v1/reports", "a.png", picture(), key="one-more-file-0000000000000000"
    )
    again = sent(
        desk, "/v1/reports", "b.log", b"GET 502", key="one-more-file-0000000000000000"
    )

    assert first.status_code == again.status_code == 201, again.text
    ref: Any = first.json()["incident"]
    assert again.json()["incident"] == ref
    assert [each["name"] for each in desk.files(ref)] == ["a.png", "b.log"]


def test_what_is_too_large_for_the_form_gets_a_page_that_says_so(
    desk: FileDesk,
) -> None:
    body = b"x" * (FORM_BYTES_MAX + 1)
    kind = {"Content-Type": "multipart/form-data; boundary=wall"}

    page = desk.api.call("POST", "/report", who=None, headers=kind, content=body)

    assert page.status_code == 413
    assert "go back, choose fewer or smaller ones" in page.text


def test_a_form_that_did_not_arrive_whole_takes_nothing(desk: FileDesk) -> None:
    body, kind = form("a.txt", b"words", **TOLD, key="not-whole-0000000000000000")

    page = desk.api.call("POST", "/report", who=None, headers=kind, content=body[:-9])

    assert page.status_code == 400
    assert "did not arrive whole" in page.text
