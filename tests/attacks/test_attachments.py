"""Attacks with attached files: what strangers, thieves and clever files try."""

import asyncio
import os
import resource
from collections.abc import Iterator

import httpx
import pytest

from services.projections import limited_process
from services.projections.previews import worker
from shared.http.problem_details import HttpError
from standalone.nats import Bus
from tests.support.desks.api import problem
from tests.support.desks.attachments import LIMITS, FileDesk, taking_files
from tests.support.mail.sent_files import (
    archive,
    form,
    photo_with_place,
    picture,
    pixel_bomb,
)
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
HTML = b"<!DOCTYPE html><script>alert(document.cookie)</script>"
POLYGLOT = picture("GIF") + b"/*" + HTML + b"*/" + archive("a.html", content=HTML)
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def desk(
    shared_database: Database,
    shared_bus: Bus,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FileDesk]:
    folder = tmp_path_factory.mktemp("files")
    with taking_files(shared_database, shared_bus, folder) as running:
        yield running


@pytest.fixture
def ref(desk: FileDesk) -> str:
    return desk.incident()


@pytest.mark.parametrize("who", [None, "source", "auditor"])
def test_who_may_not_change_the_incident_attaches_nothing(
    desk: FileDesk, ref: str, who: str | None
) -> None:
    refused = problem(desk.attach(ref, b"words", "a.txt", who), 401 if not who else 403)

    assert refused["code"] in {"token", "scope"}
    assert not desk.files(ref)


@pytest.mark.parametrize("who", [None, "source"])
@pytest.mark.parametrize("what", ["", "/preview"])
def test_who_may_not_read_the_incident_gets_no_file(
    desk: FileDesk, ref: str, who: str | None, what: str
) -> None:
    id_ = desk.attached(ref, picture())

    problem(desk.get(ref, id_, what, who), 401 if who is None else 403)
    listed = desk.api.call("GET", f"/v1/incidents/{ref}/attachments", who)
    problem(listed, 401 if who is None else 403)


def test_a_file_is_not_reached_through_another_incident(
    desk: FileDesk, ref: str
) -> None:
    other = desk.incident()
    id_ = desk.attached(ref, picture())

    for what in ("", "/preview"):
        assert problem(desk.get(other, id_, what), 404)["code"] == "unknown_attachment"
    assert problem(desk.get(ref, UNKNOWN), 404)["code"] == "unknown_attachment"


@pytest.mark.parametrize("name", ["..%2f..%2fsecret", "%00", "a" * 36])
def test_an_id_that_is_none_is_refused_without_a_look(
    desk: FileDesk, ref: str, name: str
) -> None:
    assert desk.get(ref, name).status_code in {404, 405, 422}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.png", SVG, "image/svg+xml"),
        ("a.svg", SVG, "image/svg+xml"),
        ("a.png", HTML, "text/html"),
        ("a.gif", POLYGLOT, "image/gif"),
    ],
)
def test_a_script_in_a_file_never_runs_in_the_page(
    desk: FileDesk, ref: str, name: str, content: bytes, kind: str
) -> None:
    id_ = desk.attached(ref, content, name)

    got = desk.get(ref, id_)
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["x-content-type-options"] == "nosniff"
    shown = desk.get(ref, id_, "/preview")
    if kind == "image/gif":  # a real image: it is encoded again, without the rest
        assert shown.status_code == 200
        assert b"script" not in shown.content
        assert shown.headers["content-type"] == "image/png"
    else:
        assert problem(shown, 409)["code"] == "no_preview"


@pytest.mark.parametrize(
    "name",
    [
        'a"\r\nSet-Cookie: s=1\r\n.txt',
        "..\\..\\a.txt",
        "gpj.\u202etxt",
        "é%0d%0a;filename=evil.exe.txt",
        "a" * 3_000 + ".txt",
    ],
)
def test_a_name_can_make_no_header_no_path_and_no_other_name(
    desk: FileDesk, ref: str, name: str
) -> None:
    id_ = desk.attached(ref, f"words of {name[:9]}".encode(), name)

    got = desk.get(ref, id_)
    shown = got.headers["content-disposition"]
    assert "set-cookie" not in got.headers
    assert shown.startswith('attachment; filename="')
    assert shown.count('"') == 2
    assert "/" not in shown
    assert "\\" not in shown
    assert "\u202e" not in desk.files(ref)[0]["name"]
    assert len(desk.files(ref)[0]["name"]) <= 200


def test_a_range_does_not_get_part_of_a_file(desk: FileDesk, ref: str) -> None:
    id_ = desk.attached(ref, picture())

    got = desk.api.call(
        "GET",
        f"/v1/incidents/{ref}/attachments/{id_}",
        headers={"Range": "bytes=0-9"},
    )

    assert got.status_code == 200
    assert got.content == picture()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (pixel_bomb(), "too_many_pixels"),
        (picture()[:60], "no_image"),
        (b"\x89PNG\r\n\x1a\n" + os.urandom(500), "no_image"),
        (b"GIF89a" + b"\0" * 40, "no_image"),
    ],
    ids=["pixel bomb", "cut off", "noise", "empty GIF"],
)
def test_an_image_made_to_break_the_decoder_breaks_nothing(
    desk: FileDesk, ref: str, content: bytes, code: str
) -> None:
    id_ = desk.attached(ref, content)

    assert problem(desk.get(ref, id_, "/preview"), 422)["code"] == code
    assert desk.get(ref, id_).content == content


def test_more_previews_than_can_be_rendered_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limited_process, "WAITING_MAX", 3)
    monkeypatch.setattr(worker, "SECONDS_MAX", SECONDS)
    before = resource.getrlimit(resource.RLIMIT_AS)

    async def flood() -> list[bytes | BaseException]:
        previews = worker.PreviewWorker()
        asked = (previews.preview(photo_with_place()) for _ in range(8))
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(flood())

    refused = [each for each in answers if isinstance(each, HttpError)]
    assert [each.details.status for each in refused] == [503] * 5
    assert all(isinstance(each, HttpError | bytes) for each in answers)
    assert resource.getrlimit(resource.RLIMIT_AS) == before  # the service has no limit


def test_an_archive_that_would_grow_is_stored_as_it_is(
    desk: FileDesk, ref: str
) -> None:
    bomb = archive("a.txt", content=b"\0" * 20_000_000)
    assert len(bomb) < LIMITS.bytes_max

    assert desk.get(ref, desk.attached(ref, bomb, "a.zip")).content == bomb


def test_a_body_of_unknown_length_is_refused_once_it_is_too_large(
    desk: FileDesk, ref: str
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(LIMITS.bytes_max // 65_536 + 2):
            yield b"x" * 65_536

    refused = httpx.post(
        f"{desk.intake_url}/v1/incidents/{ref}/attachments?name=a.txt",
        content=chunks(),
        headers={"Authorization": f"Bearer {desk.api.tokens['agent']}"},
        timeout=SECONDS,
    )

    assert refused.status_code == 413


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "multipart/form-data", 400),
        (b"--x", "multipart/form-data; boundary=wall", 400),
        (form("a.txt", b"words")[0][:-4], "multipart/form-data; boundary=wall", 400),
        (form("a.txt", b"x", field="b")[0], "multipart/form-data; boundary=wall", 422),
        (b"\xff" * 500, "multipart/form-data; boundary=\xff", 400),
        (
            b'--w\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 60,
            "multipart/form-data; boundary=w",
            400,
        ),
    ],
    ids=["no boundary", "cut", "no end", "another field", "noise", "many fields"],
)
def test_a_malformed_form_is_refused_with_a_reason(
    desk: FileDesk, ref: str, body: bytes, kind: str, status: int
) -> None:
    path = f"/v1/incidents/{ref}/attachments"
    headers = {"Content-Type": kind.encode("latin-1")}

    refused = desk.api.call("POST", path, headers=headers, content=body)  # type: ignore[arg-type] # raw

    problem(refused, status)
    assert not desk.files(ref)


def test_a_compressed_body_is_refused(desk: FileDesk, ref: str) -> None:
    refused = desk.attach(ref, b"x", "a.txt", headers={"Content-Encoding": "gzip"})

    problem(refused, 415)


def test_strangers_cannot_use_up_the_bytes_of_the_day(
    desk: FileDesk, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = "SELECT coalesce(sum(size), 0)::int FROM intake.attachments"
    full = desk.asks(used)[0][0] * 4 // 3
    limits = type(LIMITS)(LIMITS.bytes_max, full + 1_000, LIMITS.types)
    monkeypatch.setattr(desk.parts.attacher, "limits", limits)
    told = {"email": "x@evil.example", "words": "x", "key": "z" * 16}
    body, kind = form("flood.txt", b"y" * 5_000, **told)

    report = httpx.post(
        f"{desk.intake_url}/v1/reports", content=body, headers=kind, timeout=SECONDS
    )

    assert report.json()["left_out"] == [{"name": "flood.txt", "why": "day_full"}]
    desk.attached(ref, b"the desk still can", "a.txt")
