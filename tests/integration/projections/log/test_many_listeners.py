"""Many who listen: what they have in common is done once, and nobody is turned away."""

import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest

from services.projections.api.limits import STREAM_READS_MAX, STREAMS_A_TOKEN_MAX
from services.projections.api.log import stream
from services.projections.api.log.blocks import block
from services.projections.api.log.credentials import OpenCredentials
from services.projections.api.log.tail import POLL_SECONDS, Backlog, rest_seconds
from shared.domain.identifiers import incident_ref, incident_stream
from shared.domain.limits import Limits
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog, Row
from shared.security.access import Access, create
from shared.security.places import places
from shared.security.rights import Grant
from shared.security.sender import seal_keys_of
from shared.security.sessions import Start, begin_session, revoke_sessions
from tests.support.desks.api import Api
from tests.support.patience import SECONDS, until
from tests.support.servers.sse import Said, events, listening
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers

REQUESTS = 20
IDLE_LOOKS = 5
OURS = Limits(clients=frozenset({"ours"}))


@contextmanager
def _listeners(api: Api, limits: Limits | None) -> Iterator[Sequence[Iterator[Said]]]:
    """Let as many listen as one token may; all of their streams have begun."""
    token = api.tokens["agent"]
    if limits:
        with api.log.transaction() as cursor:
            now = datetime.now(UTC)
            token = create(cursor, now, "person:ines", ["agent"], limits=limits).token
    bearer = {"Authorization": f"Bearer {token}"}
    with ExitStack() as streams:
        heard = [
            streams.enter_context(listening(f"{api.url}/v1/stream", bearer))
            for _ in range(STREAMS_A_TOKEN_MAX)
        ]
        for each in heard:
            next(each)
        yield heard


def test_where_an_incident_belongs_is_read_once_for_all_who_have_limits(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Sequence[str]] = []

    def noted(log, cursor, refs):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        read.append(refs)
        return places(log, cursor, refs)

    monkeypatch.setattr("services.projections.api.log.tail.places", noted)
    ours, theirs = incident_ref(1), incident_ref(2)
    with _listeners(api, OURS) as heard:
        api.happened(opened(theirs, client="theirs"))
        api.happened(opened(ours, client="ours"))
        told = [events(each, 1)[0].data for each in heard]

    assert [each and each["incident"] for each in told] == [ours] * len(told)
    assert sorted(ref for refs in read for ref in refs) == [ours, theirs]


def test_many_checks_of_tokens_at_once_end_no_stream_and_keep_no_request_waiting(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.api.desk.WAITING_MAX", 3)
    monkeypatch.setattr(
        "services.projections.api.log.stream.STREAM_CHECK_SECONDS", 0.05
    )
    checked, go_on, remembered = [], threading.Event(), Access.remembered
    verify = Access.verify
    slow = api.tokens["agent"]

    def held(access: Access, token: str):  # type: ignore[no-untyped-def] # noqa: ANN202
        if token == slow:
            checked.append(token)
            assert go_on.wait(SECONDS)
        return verify(access, token)

    def forgotten(access: Access, token: str):  # type: ignore[no-untyped-def] # noqa: ANN202
        return None if token == slow else remembered(access, token)

    assert api.call("GET", "/v1/me", "manager").status_code == 200  # now remembered
    with _listeners(api, None) as heard:
        monkeypatch.setattr(Access, "verify", held)
        monkeypatch.setattr(Access, "remembered", forgotten)
        monkeypatch.setattr("services.projections.api.desk.ANSWER_SECONDS", SECONDS)
        until(lambda: len(checked) >= STREAM_READS_MAX, "tokens are checked")
        answers = {
            api.call("GET", "/v1/queues", "manager").status_code
            for _ in range(REQUESTS)
        }
        at_once = len(checked)
        go_on.set()
        position = api.happened(opened(incident_ref(1)))
        told = [events(each, 1)[0].id for each in heard]

    assert answers == {200}
    assert at_once == STREAM_READS_MAX
    assert told == [str(position)] * STREAMS_A_TOKEN_MAX


def test_all_who_come_back_at_the_same_time_are_let_in_one_after_the_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.api.desk.WAITING_MAX", 3)
    verify, come, go_on = Access.verify, [], threading.Event()

    def held(access: Access, token: str):  # type: ignore[no-untyped-def] # noqa: ANN202
        come.append(token)
        assert go_on.wait(SECONDS)
        return verify(access, token)

    def listen(who: str) -> str | None:
        bearer = {"Authorization": f"Bearer {api.tokens[who]}"}
        with listening(f"{api.url}/v1/stream", bearer) as said:
            return next(said).id

    monkeypatch.setattr(Access, "verify", held)
    everybody = ("agent", "other_agent", "manager", "auditor", "admin")
    with ThreadPoolExecutor(len(everybody)) as threads:
        begun = [threads.submit(listen, who) for who in everybody]
        until(lambda: len(come) == STREAM_READS_MAX, "the first are let in")
        go_on.set()

        assert [each.result() for each in begun] == ["0"] * len(everybody)


def test_while_nothing_happens_nobody_is_asked_for_and_nothing_is_read_for_each(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "services.projections.api.log.credentials.STREAM_LOOK_SECONDS", 0
    )
    for regularly in ("STREAM_CHECK_SECONDS", "STREAM_PING_SECONDS"):
        monkeypatch.setattr(stream, regularly, 10 * SECONDS)  # nothing of it meanwhile
    looks, asked, woken = [], [], []
    look, remembered, news = (
        OpenCredentials.look,
        Access.remembered,
        stream._news,
    )  # its calls are counted

    async def looked(credentials: OpenCredentials) -> bool:
        looks.append(credentials)
        return await look(credentials)

    def noted(access: Access, token: str):  # type: ignore[no-untyped-def] # noqa: ANN202
        asked.append(token)
        return remembered(access, token)

    async def waking(*about):  # type: ignore[no-untyped-def] # noqa: ANN002, ANN202
        woken.append(about)
        return await news(*about)

    with _listeners(api, None) as heard:
        monkeypatch.setattr(OpenCredentials, "look", looked)
        monkeypatch.setattr(Access, "remembered", noted)
        monkeypatch.setattr(stream, "_news", waking)
        until(lambda: len(looks) > IDLE_LOOKS, "the tail has looked often")
        while_idle = (len(asked), len(woken))
        api.happened(opened(incident_ref(1)))
        told = [events(each, 1)[0].event for each in heard]

    assert while_idle == (0, 0)
    assert told == ["incident.opened"] * STREAMS_A_TOKEN_MAX
    assert len(woken) >= STREAMS_A_TOKEN_MAX


def test_the_end_of_a_session_is_read_for_all_and_ends_its_streams_alone(
    api: Api,
) -> None:
    rights = (Grant("", "agent"),)
    with api.log.transaction() as cursor:
        starts = [Start(f"person:{who}", "link", None, rights) for who in ("ed", "flo")]
        keys, now = seal_keys_of(api.log), datetime.now(UTC)
        ended, other = [begin_session(cursor, keys, now, start) for start in starts]
    url = f"{api.url}/v1/stream"
    with (
        listening(url, {"Authorization": f"Bearer {ended.secret}"}) as over,
        listening(url, {"Authorization": f"Bearer {other.secret}"}) as goes_on,
    ):
        next(over), next(goes_on)
        with api.log.transaction() as cursor:
            assert revoke_sessions(cursor, now, session_id=ended.session_id) == 1
        rest = list(over)
        api.happened(opened(incident_ref(1)))

        assert rest == []
        assert events(goes_on, 1)[0].event == "incident.opened"


def test_what_many_have_missed_is_read_and_decoded_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projections.api.log.tail.KEPT_MAX", 1)
    monkeypatch.setattr("services.projections.api.log.tail.STREAM_PAGE", 10)
    count, read = 40, []
    api.happened(*(opened(incident_ref(number)) for number in range(1, count + 1)))
    rows_since = EventLog.rows_since

    def noted(log: EventLog, position: int, limit: int) -> list[Row]:
        if limit == 10:
            read.append(position)
        return rows_since(log, position, limit)

    monkeypatch.setattr(EventLog, "rows_since", noted)
    bearer = {"Authorization": f"Bearer {api.tokens['agent']}"}
    for after in (0, 0, 7):
        with listening(f"{api.url}/v1/stream", bearer, after=after) as said:
            told = [each.id for each in events(said, count - after)]
        assert told == [str(position) for position in range(after + 1, count + 1)]

    assert sorted(read) == [0, 10, 20, 30]


def test_one_who_does_not_read_is_dropped_after_little_was_read_for_them(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.server.STALLED_SECONDS_MAX", 0.3)
    monkeypatch.setattr("services.projections.api.log.tail.STREAMS_MAX", 1)
    monkeypatch.setattr("services.projections.api.log.tail.STREAM_PAGE", 50)
    count, read = 1_500, []
    _at_once(api, count)
    after = Backlog.after

    def noted(backlog: Backlog, position: int):  # type: ignore[no-untyped-def] # noqa: ANN202
        read.append(position)
        return after(backlog, position)

    monkeypatch.setattr(Backlog, "after", noted)
    address = urlsplit(api.url)
    with closing(socket.socket()) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.connect((address.hostname, address.port))
        deaf.sendall(
            f"GET /v1/stream?after=0 HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {api.tokens['agent']}\r\n\r\n".encode()
        )
        until(lambda: bool(read), "the log is read for them")
        until(lambda: _has_place(api), "they are dropped")

    assert max(read) < count // 2


def _at_once(api: Api, count: int) -> None:
    """Open so many incidents in two transactions: one by one would take long."""
    numbers = range(1, count + 1)
    streams = [
        (incident_stream(incident_ref(n)), opened(incident_ref(n))) for n in numbers
    ]
    units = [AppendUnit((api.log.stored(name, 1, event),)) for name, event in streams]
    for part in (units[: count // 2], units[count // 2 :]):
        with api.log.transaction() as cursor:
            api.log.append(cursor, part)


def _has_place(api: Api) -> bool:
    bearer = {"Authorization": f"Bearer {api.tokens['agent']}"}
    url = f"{api.url}/v1/stream"
    with httpx.stream("GET", url, headers=bearer, timeout=SECONDS) as answer:
        return answer.status_code == 200


def test_the_more_listen_the_longer_the_tail_rests_and_never_longer_than_it_polls() -> (
    None
):
    assert rest_seconds(1) < 0.001
    assert rest_seconds(500) == pytest.approx(0.1)
    assert rest_seconds(10**6) == POLL_SECONDS


def test_nobody_writes_a_line_of_their_own_into_a_stream() -> None:
    written = block(id_="1", type_="incident.\nid: 9", data="{}\r\n\r\ndata: {}")

    assert written == b"event: incident. id: 9\ndata: {}    data: {}\nid: 1\n\n"
