"""The files of a mail are attached to its incident, or noted with the reason."""

from typing import Any

import httpx
import pytest

from services.intake.inbound_mail import store
from shared.domain import events
from shared.domain.commands.incident import Merge
from shared.eventlog.errors import Unavailable
from tests.support.desks.attachments import LIMITS, FileDesk
from tests.support.mail.mails_with_files import Part, mail_with
from tests.support.mail.sent_files import picture

pytestmark = pytest.mark.servers

SCREEN = Part(picture(size=(300, 200)))
LOG = Part(b"GET /portal 502\n" * 20, "portal.log", "text/plain")


def posted(desk: FileDesk, raw: bytes, ref: str | None = None) -> httpx.Response:
    return desk.api.call(
        "POST",
        "/v1/contacts/mail",
        headers={"Content-Type": "message/rfc822"},
        params={"incident": ref} if ref else {},
        content=raw,
    )


def taken(desk: FileDesk, raw: bytes, ref: str | None = None) -> dict[str, Any]:
    answer = posted(desk, raw, ref)
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_the_files_of_a_mail_are_its_authors_and_belong_to_the_message(
    desk: FileDesk,
) -> None:
    told = taken(desk, mail_with(SCREEN, LOG, message_id="<files@a.example>"))

    ref = told["incident"]
    screen, log = desk.files(ref)
    assert (screen["name"], log["name"]) == ("screen.png", "portal.log")
    assert {screen["message"], log["message"]} == {told["letter"]}
    assert (screen["person"], screen["channel"]) == ("costa", "email")
    assert desk.get(ref, log["attachment"]).content == LOG.content
    owners = {
        e.whose for e in desk.history(ref) if isinstance(e, events.IncidentFileAttached)
    }
    assert owners == {"person:costa"}


def test_the_same_mail_again_attaches_nothing_twice(desk: FileDesk) -> None:
    raw = mail_with(SCREEN, message_id="<again@a.example>")
    ref = taken(desk, raw)["incident"]

    assert taken(desk, raw)["repeated"]
    assert len(desk.files(ref)) == 1


def test_a_mail_whose_files_could_not_be_stored_gets_them_when_it_comes_again(
    desk: FileDesk, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = mail_with(SCREEN, message_id="<crash@a.example>")

    def away(*_: object) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(desk.parts.attacher, "attach_message", away)
        assert posted(desk, raw, ref).status_code == 503
    assert len(desk.history(ref)) > 1  # the contact is recorded

    assert taken(desk, raw, ref)["incident"] == ref
    assert [each["name"] for each in desk.files(ref)] == ["screen.png"]
    contacts = [e for e in desk.history(ref) if isinstance(e, events.IncidentContacted)]
    assert len(contacts) == 2  # the call that opened it, and the mail


def test_the_pictures_that_every_reply_of_a_thread_repeats_are_kept_once(
    desk: FileDesk, ref: str
) -> None:
    logo = Part(picture(size=(200, 60)) + b"\0" * 2_000, "logo.png", is_inline=True)
    spacer = Part(picture("GIF", (1, 1)), None, "image/gif", is_inline=True)
    for number in range(3):
        raw = mail_with(logo, spacer, message_id=f"<{ref}-{number}@a.example>")
        taken(desk, raw, ref)

    assert [each["name"] for each in desk.files(ref)] == ["logo.png"]


def test_what_is_not_accepted_is_noted_and_the_mail_is_kept(
    desk: FileDesk, ref: str
) -> None:
    raw = mail_with(
        Part(b"x" * (LIMITS.bytes_max + 1), "big.txt", "text/plain"),
        Part(b"MZ\x90\0\3\0", "invoice.pdf.exe", "application/pdf"),
        Part(b"\x30\x80\x06\t", "smime.p7s", "application/pkcs7-signature"),
        LOG,
        message_id=f"<{ref}-out@a.example>",
    )

    assert taken(desk, raw, ref)["verdict"] == "attached"

    listed = desk.api.get(f"/v1/incidents/{ref}/attachments")
    assert [each["name"] for each in listed["items"]] == ["portal.log"]
    assert {(each["name"], each["why"]) for each in listed["left_out"]} == {
        ("big.txt", "too_large"),
        ("invoice.pdf.exe", "type"),
    }
    timeline = desk.api.get(f"/v1/incidents/{ref}/timeline")["items"]
    assert any("big.txt" in line["sentence"] for line in timeline)


def test_files_beyond_the_twentieth_of_a_mail_are_left_out(
    desk: FileDesk, ref: str
) -> None:
    many = [Part(f"log {n}".encode(), f"{n}.log", "text/plain") for n in range(22)]

    taken(desk, mail_with(*many, message_id=f"<{ref}-many@a.example>"), ref)

    listed = desk.api.get(f"/v1/incidents/{ref}/attachments")
    assert len(listed["items"]) == 20
    assert [each["why"] for each in listed["left_out"]] == ["too_many"] * 2


def test_a_reply_to_a_merged_incident_brings_its_files_to_the_survivor(
    desk: FileDesk, ref: str
) -> None:
    survivor = desk.incident()
    desk.does(ref, Merge(into=survivor))
    raw = mail_with(SCREEN, message_id=f"<{ref}-late@a.example>")

    taken(desk, raw, ref)

    assert [each["name"] for each in desk.files(survivor)] == ["screen.png"]


def _retried(desk: FileDesk, message_id: str) -> dict[str, Any]:
    """Return the files of the incident of a mail that was set aside, then taken."""
    raw = mail_with(SCREEN, message_id=message_id, auto_submitted="auto-replied")
    letter = taken(desk, raw)["letter"]
    answer = desk.api.call("POST", f"/v1/letters/{letter}/retry", json={})
    assert answer.status_code == 201, answer.text
    ref = answer.json()["incident"]
    listed: dict[str, Any] = desk.api.get(f"/v1/incidents/{ref}/attachments")
    for each in listed["items"]:
        assert desk.get(ref, each["attachment"]).content
    return listed


def _stored(desk: FileDesk) -> list[str]:
    query = "SELECT sealed_files FROM intake.letters WHERE sealed_files IS NOT NULL"
    with desk.api.log.transaction() as cursor:
        return [sealed for (sealed,) in cursor.execute(query)]


def test_a_mail_that_was_set_aside_keeps_its_files_until_it_is_taken(
    desk: FileDesk,
) -> None:
    raw = mail_with(SCREEN, message_id="<w@a.example>", auto_submitted="auto-replied")
    taken(desk, raw)
    (waiting,) = _stored(desk)
    assert "screen.png" not in waiting  # sealed as its words are

    listed = _retried(desk, "<auto@a.example>")

    assert [each["name"] for each in listed["items"]] == ["screen.png"]
    assert listed["left_out"] == []
    assert _stored(desk) == [waiting]


def test_files_of_mails_beyond_what_is_stored_are_named_as_not_kept(
    desk: FileDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FILES_BYTES_MAX", 100)

    listed = _retried(desk, "<flood@a.example>")

    assert not listed["items"]
    assert [(e["name"], e["why"]) for e in listed["left_out"]] == [
        ("screen.png", "set_aside")
    ]
