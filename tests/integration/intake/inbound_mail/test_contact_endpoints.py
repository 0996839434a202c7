"""Users reach the desk while nothing can be read: intake runs, projections do not."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.domain.events.incident import IncidentOpened
from shared.domain.identifiers import incident_stream, sla_stream
from shared.eventlog.readers.position import Bookmark
from tests.support.desks.api import problem
from tests.support.desks.running import Desk, running_desk
from tests.support.faults.later_version import record_skipped, write_unknown
from tests.support.folders import reachable_folder
from tests.support.mail.raw_mails import mail
from tests.support.patience import SECONDS, answered, awaited

pytestmark = pytest.mark.servers

CALL = {"person": "costa", "channel": "phone", "words": "No mail\nsince 8"}
REPORT = {"email": "zoe@elsewhere.example", "words": "The totals are wrong"}
HTML = {"Accept-Language": "en"}
Reach = Callable[[Desk], str]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with (
        reachable_folder() as folder,
        running_desk(folder, start=("intake",)) as running,
    ):
        yield running


def post(desk: Desk, path: str, who: str = "agent", **given: Any) -> httpx.Response:
    headers = {**desk.bearer(who), **HTML}
    url = f"{desk.intake_url}{path}"
    return answered(lambda: httpx.post(url, headers=headers, timeout=SECONDS, **given))


def sent_twice(desk: Desk, call: Mapping[str, object]) -> Sequence[dict[str, Any]]:
    """Return the answers to a call that is sent again with its key.

    A busy desk may ask to send it again before, when it may have been recorded.
    """
    url = f"{desk.intake_url}/v1/contacts"

    def both() -> list[httpx.Response]:
        headers = {**desk.bearer("agent"), "Idempotency-Key": uuid4().hex}
        return [
            httpx.post(url, json=call, headers=headers, timeout=SECONDS)
            for _ in range(2)
        ]

    answers = awaited(
        both,
        lambda answers: all(answer.status_code != 503 for answer in answers),
        "both are decided",
    )
    return [answer.json() for answer in answers]


def by_a_call(desk: Desk) -> str:
    answer = post(desk, "/v1/contacts", json=CALL)
    assert answer.status_code == 201, answer.text
    done = answer.json()
    assert answer.headers["Location"] == f"/v1/incidents/{done['incident']}"
    assert done["incident"] in done["receipt"]["text"]
    return str(done["incident"])


def by_the_form(desk: Desk) -> str:
    page = answered(
        lambda: httpx.get(f"{desk.intake_url}/report", headers=HTML, timeout=SECONDS)
    )
    key, style = (
        re.search(pattern, page.text)
        for pattern in (r'name="key" value="([^"]+)"', r'href="(/assets/[^"]+)"')
    )
    assert key
    assert style
    assert httpx.get(f"{desk.intake_url}{style[1]}", timeout=SECONDS).is_success
    answer = post(desk, "/report", data={**REPORT, "key": key[1]})
    assert answer.status_code == 201, answer.text
    found = re.search(r'id="reference">([^<]+)<', answer.text)
    assert found
    return found[1]


def by_mail(desk: Desk) -> str:
    # Each attempt is another mail: what is sent again may be recorded already.
    url, headers = f"{desk.intake_url}/v1/contacts/mail", desk.bearer("agent")
    answer = answered(
        lambda: httpx.post(
            url,
            content=mail(message_id=f"<{uuid4().hex}@valmont.example>"),
            headers=headers,
            timeout=SECONDS,
        )
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["incident"])


@pytest.mark.parametrize(
    ("reach", "channel"),
    [(by_a_call, "phone"), (by_the_form, "web"), (by_mail, "email")],
)
def test_everyone_who_reaches_the_desk_has_an_incident_in_the_log(
    desk: Desk, reach: Reach, channel: str
) -> None:
    ref = reach(desk)

    with closing(desk.log()) as log:
        opening = log.history(incident_stream(ref))[0].event
    assert isinstance(opening, IncidentOpened)
    assert opening.channel == channel


def test_a_call_that_is_sent_again_is_one(desk: Desk) -> None:
    first, again = sent_twice(desk, CALL)

    assert (first["outcome"], again["outcome"]) == ("recorded", "repeated")
    assert first["incident"] == again["incident"]


def test_a_receipt_leaves_out_what_the_owner_of_the_promises_skipped(
    desk: Desk,
) -> None:
    ref = by_a_call(desk)
    stream = sla_stream(ref)
    with closing(desk.log()) as log:
        write_unknown(log, stream)
        unread = post(desk, "/v1/contacts", json={**CALL, "incident": ref}).json()
        with log.transaction() as cursor:
            (row,) = log.stored_histories(cursor, [stream])
            watcher = Bookmark("sla", "sla_watcher")
            record_skipped(cursor, watcher, (stream, row.position))

    read = post(desk, "/v1/contacts", json={**CALL, "incident": ref}).json()

    assert (unread["receipt"], bool(read["receipt"])) == (None, True)


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("auditor", CALL, 403),
        ("source", CALL, 403),
        ("agent", {"person": "costa", "channel": "phone"}, 422),
        ("agent", {**CALL, "incident": "INC-999999"}, 404),
        ("agent", [CALL], 422),
    ],
)
def test_a_call_is_refused_for_what_is_wrong_with_it(
    desk: Desk, who: str, body: object, status: int
) -> None:
    assert problem(post(desk, "/v1/contacts", who, json=body), status)["detail"]


def calling(caller: object, **more: object) -> dict[str, object]:
    return {"caller": caller, "channel": "phone", "words": "No mail", **more}


@pytest.mark.parametrize(
    ("caller", "more"),
    [
        ({}, {}),
        ({"name": "Z" * 201}, {}),
        ({"name": "Zoé\0"}, {}),
        ({"name": "\u202e\u200f "}, {}),
        ({"name": "Zoé", "phone": "call me"}, {}),
        ({"name": "Zoé", "email": f"{'z' * 65}@new.example"}, {}),
        ({"name": "Zoé", "email": "zoe@new.example\nBcc: eve@evil.example"}, {}),
        ({"name": "Zoé", "client": "nobodys"}, {}),
        ({"name": "Zoé", "confirmed": True}, {}),
        ({"name": "Zoé"}, {"person": "costa"}),
        ("Zoé", {}),
    ],
)
def test_a_new_caller_is_refused_for_what_is_wrong_with_them(
    desk: Desk, caller: object, more: dict[str, object]
) -> None:
    body = json.dumps(calling(caller, **more))

    assert problem(post(desk, "/v1/contacts", content=body), 422)["detail"]


def test_a_new_caller_who_is_recorded_again_is_one_person(desk: Desk) -> None:
    name = "\u202eزوي"  # written from right to left, as names may be
    first, again = sent_twice(desk, calling({"name": name, "phone": "0475200009"}))

    assert (first["outcome"], again["outcome"]) == ("recorded", "repeated")
    assert first["person"] == again["person"]
    assert first["person"].startswith("call-")
    assert first["known"] is True
    assert name in first["receipt"]["text"]


def test_what_was_written_into_the_form_is_given_back_if_it_is_refused(
    desk: Desk,
) -> None:
    answer = post(desk, "/report", data={**REPORT, "email": "zoe@here"})

    assert answer.status_code == 422
    assert "zoe@example.org" in answer.text
    assert REPORT["words"] in answer.text


def test_the_name_of_another_site_opens_no_form(desk: Desk) -> None:
    answer = httpx.get(
        f"{desk.intake_url}/report",
        headers={"Host": "elsewhere.example"},
        timeout=SECONDS,
    )

    assert problem(answer, 421)["code"] == "host"
