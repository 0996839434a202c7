"""A person attaches a file, and others list, download and see it."""

from uuid import uuid4

import httpx
import pytest

from shared.attachments.content import delete_forgotten
from shared.domain.commands.incident import Merge, RemoveAttachment
from shared.domain.events.incident_attachments import IncidentFileAttached
from shared.domain.limits import Limits
from shared.security.access import create
from shared.vault.vault import forget
from tests.support.desks.api import problem
from tests.support.desks.attachments import LIMITS, FileDesk
from tests.support.mail.sent_files import form, photo_with_place, picture
from tests.support.patience import SECONDS

pytestmark = pytest.mark.servers


def test_a_file_is_downloaded_as_it_was_sent_and_never_shown_inside_a_page(
    desk: FileDesk, ref: str
) -> None:
    sent = picture()
    id_ = desk.attached(ref, sent, "écran 1.png")

    (listed,) = desk.files(ref)
    assert listed["attachment"] == id_
    assert listed["name"] == "écran 1.png"
    assert (listed["media_type"], listed["size"]) == ("image/png", len(sent))
    assert (listed["scan"], listed["by"]) == ("unscanned", "person:paul")
    got = desk.get(ref, id_)
    assert got.content == sent
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment;")
    assert "%C3%A9cran%201.png" in got.headers["content-disposition"]
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["x-scan"] == "unscanned"


def test_the_incident_and_its_timeline_show_the_file(desk: FileDesk, ref: str) -> None:
    id_ = desk.attached(ref, picture())

    assert [
        one["attachment"] for one in desk.api.get(f"/v1/incidents/{ref}")["attachments"]
    ] == [id_]
    timeline = desk.api.get(f"/v1/incidents/{ref}/timeline")["items"]
    assert "screen.png" in timeline[-1]["sentence"]


def test_a_preview_has_no_byte_of_the_original_and_not_where_it_was_taken(
    desk: FileDesk, ref: str
) -> None:
    id_ = desk.attached(ref, photo_with_place(), "IMG_1.jpg")

    shown = desk.get(ref, id_, "/preview")

    assert shown.status_code == 200, shown.text
    assert shown.headers["content-type"] == "image/png"
    assert shown.content.startswith(b"\x89PNG")
    assert b"Rivoli" not in shown.content
    assert b"JFIF" not in shown.content


def test_a_form_attaches_its_file_without_a_script(desk: FileDesk, ref: str) -> None:
    body, kind = form("note.txt", b"the screen is blank")

    answer = desk.api.call(
        "POST", f"/v1/incidents/{ref}/attachments", headers=kind, content=body
    )

    assert answer.status_code == 201, answer.text
    assert desk.get(ref, answer.json()["attachment"]).content == b"the screen is blank"
    assert answer.json()["media_type"] == "text/plain"


def test_a_repeat_with_the_same_key_attaches_the_file_once(
    desk: FileDesk, ref: str
) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first = desk.attach(ref, picture(), headers=key)
    again = desk.attach(ref, picture(), headers=key)

    assert (first.json()["outcome"], again.json()["outcome"]) == (
        "recorded",
        "repeated",
    )
    assert first.json()["attachment"] == again.json()["attachment"]
    assert len(desk.files(ref)) == 1
    other = desk.attach(ref, b"another file", "a.txt", headers=key)
    assert problem(other, 422)["code"] == "idempotency_key"


def test_the_same_content_is_kept_once_in_an_incident(desk: FileDesk, ref: str) -> None:
    id_ = desk.attached(ref, picture())

    again = desk.attach(ref, picture(), "the same again.png")

    assert again.json()["outcome"] == "already"
    assert again.json()["attachment"] == id_
    assert len(desk.files(ref)) == 1


def test_intake_takes_files_while_the_read_side_is_away(
    desk: FileDesk, ref: str
) -> None:
    answer = httpx.post(
        f"{desk.intake_url}/v1/incidents/{ref}/attachments",
        params={"name": "a.txt"},
        content=b"words",
        headers={"Authorization": f"Bearer {desk.api.tokens['agent']}"},
        timeout=SECONDS,
    )

    assert answer.status_code == 201, answer.text
    assert [each["name"] for each in desk.files(ref)] == ["a.txt"]


def test_only_a_manager_removes_a_file_and_its_content_is_destroyed(
    desk: FileDesk, ref: str
) -> None:
    id_ = desk.attached(ref, picture())
    removal = RemoveAttachment(attachment=id_, reason="a password is visible")

    with pytest.raises(Exception, match="only be removed by a manager"):
        desk.does(ref, removal)
    desk.does(ref, removal, "manager", by="person:sylvie")

    assert problem(desk.get(ref, id_), 410)["code"] == "gone"
    kept = "SELECT count(*) FROM intake.attachments WHERE attachment = %s"
    assert desk.asks(kept, id_) == [(0,)]
    (listed,) = desk.files(ref)
    assert listed["removed_because"] == "a password is visible"
    assert desk.attach(ref, picture()).json()["outcome"] == "recorded"


def test_the_files_of_a_merged_incident_are_found_with_the_survivor(
    desk: FileDesk, ref: str
) -> None:
    survivor = desk.incident()
    id_ = desk.attached(ref, picture())
    desk.does(ref, Merge(into=survivor))

    assert [each["attachment"] for each in desk.files(survivor)] == [id_]
    assert desk.get(survivor, id_).content == picture()
    assert desk.get(ref, id_).content == picture()
    refused = problem(desk.attach(ref, b"late", "late.txt"), 409)
    assert survivor in str(refused["detail"])


def test_files_of_a_merged_incident_out_of_sight_stay_out_of_sight(
    desk: FileDesk,
) -> None:
    from_mail, survivor = desk.incident(service="mail"), desk.incident(service="web")
    id_ = desk.attached(from_mail, picture())
    desk.does(from_mail, Merge(into=survivor))
    own = desk.attached(survivor, b"of the web", "web.txt")
    with desk.api.log.transaction() as cursor:
        at, limits = (
            desk.api.log.head().recorded_at,
            Limits(services=frozenset(["web"])),
        )
        made = create(cursor, at, "person:lea", ["agent"], limits=limits)
    desk.api.tokens["web agent"] = made.token
    desk.api.get("/v1/queues", min_position=desk.api.log.head().position)

    assert [each["attachment"] for each in desk.files(survivor)] == [id_, own]
    limited = desk.files(survivor, "web agent")
    assert [each["attachment"] for each in limited] == [own]
    for what in ("", "/preview"):
        answer = desk.get(survivor, id_, what, "web agent")
        assert problem(answer, 404)["code"] == "unknown_attachment"


def test_a_forgotten_persons_file_can_no_longer_be_read_by_anybody(
    desk: FileDesk,
) -> None:
    ref = desk.incident(reporter="leroy")
    id_ = desk.attached(ref, picture(), "leroy.png")
    with desk.api.log.transaction() as cursor:
        forget(cursor, "person:leroy", "asked", desk.api.log.head().recorded_at)
    desk.log.vault.drop()
    # The services would drop the key in 15 seconds: the content is deleted at once.
    with desk.api.log.transaction() as cursor:
        assert delete_forgotten(cursor) == 1

    assert problem(desk.get(ref, id_), 410)["code"] == "gone"
    stored = [e for e in desk.history(ref) if isinstance(e, IncidentFileAttached)]
    assert stored[0].name == "[forgotten]"


@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (b"", "empty.txt", 422, "empty_file"),
        (b"x" * (LIMITS.bytes_max + 1), "big.txt", 413, "too_large"),
        (b"MZ\x90\0\3", "tool.png", 415, "file_type"),
        (b"echo hello", "run.bat", 415, "file_type"),
        (bytes(range(256)), "data", 415, "file_type"),
    ],
)
def test_what_is_not_accepted_is_refused_with_what_to_do(
    desk: FileDesk, ref: str, content: bytes, name: str, status: int, code: str
) -> None:
    refused = problem(desk.attach(ref, content, name), status)

    assert refused["code"] == code
    assert not desk.files(ref)
