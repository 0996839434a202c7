"""Who has an incident open, over the API and its stream, in several processes."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from services.projections.api.log import stream
from shared.domain.events.incident import IncidentClassified
from shared.domain.identifiers import incident_ref
from shared.domain.limits import Limits
from shared.messaging import subjects
from shared.messaging.commands import Scope
from shared.messaging.connection import nats_session
from shared.security.access import create, revoke
from standalone.nats import Bus
from tests.support.desks.api import SCOPES, Api, problem, serving
from tests.support.patience import until
from tests.support.servers.servers import Database, NatsServer, PostgresServer
from tests.support.servers.sse import events, listening
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_NUMBERS = count(2)


@pytest.fixture(scope="module")
def apis(
    postgres_server: PostgresServer,
    nats_server: NatsServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Api, Api]]:
    """Give two processes of one desk, which hear each other."""
    database: Database = postgres_server.fresh_database()
    nats_server.wipe()
    bus: Bus = nats_server.bus
    folder: Path = tmp_path_factory.mktemp("api")
    with (
        pytest.MonkeyPatch.context() as limits,
        serving(database, bus, folder) as one,
        serving(database, bus, folder) as two,
    ):
        # With the next ping a listener hears of events that they may not see.
        limits.setattr(stream, "STREAM_PING_SECONDS", 1)
        one.happened(opened(incident_ref(1)))
        for who, teller, hearer in (("agent", one, two), ("manager", two, one)):
            until(partial(_is_heard, who, teller, hearer), "one is told by the other")
        yield one, two
    postgres_server.drop(database)


def _agent(
    api: Api, name: str, client: str | None = None, role: Scope = "agent"
) -> str:
    limits = Limits(clients=frozenset({client})) if client else Limits()
    with api.log.transaction() as cursor:
        now = datetime.now(UTC)
        return create(cursor, now, f"person:{name}", [role], limits=limits).token


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _place(ref: str) -> str:
    return f"/v1/incidents/{ref}/presence"


def _is_heard(who: str, teller: Api, hearer: Api) -> bool:
    """Tell whether a process knows of somebody whom only another one was told of."""
    ref, person = incident_ref(1), SCOPES[who][0].removeprefix("person:")
    _report(teller, teller.tokens[who], ref)
    present = _report(hearer, hearer.tokens["other_agent"], ref)
    return person in [each["person"] for each in present]


@pytest.fixture
def ref(apis: tuple[Api, Api]) -> str:
    """Return an incident of the client `ours` at which nobody is yet."""
    opened_now = incident_ref(next(_NUMBERS))
    apis[0].happened(opened(opened_now, client="ours"))
    return opened_now


def _report(
    api: Api, token: str, ref: str, page: str = "page-one", **body: object
) -> list[dict[str, object]]:
    answer = api.call(
        "POST", _place(ref), None, _bearer(token), json={"page": page, **body}
    )
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items


def test_who_looks_in_one_process_is_told_of_who_writes_in_another(
    apis: tuple[Api, Api],
    ref: str,
) -> None:
    one, two = apis
    nadia, amina = _agent(one, "nadia"), _agent(one, "amina", "ours")
    url = f"{one.url}/v1/stream"
    with listening(url, _bearer(nadia), incident=ref) as said:
        assert _report(one, nadia, ref) == []
        _report(two, amina, ref)
        (here,) = events(said, 1)
        _report(two, amina, ref, form="note")
        (writes,) = events(said, 1)
        _report(two, amina, ref, is_over=True)
        (gone,) = events(said, 1)

    assert (here.event, here.id) == ("presence", None)
    told = [each.data["items"] for each in (here, writes, gone) if each.data]
    assert told == [
        [{"person": "amina", "form": None}],
        [{"person": "amina", "form": "note"}],
        [],
    ]
    assert _report(one, nadia, ref) == []  # again: a visit ends if not reported
    until(
        lambda: _report(two, amina, ref) == [{"person": "nadia", "form": None}],
        "the other process has heard",
    )


def test_nothing_of_it_is_in_the_database(apis: tuple[Api, Api], ref: str) -> None:
    one, _ = apis
    head = one.log.head()
    _report(one, _agent(one, "sylvie"), ref, form="note")

    assert one.log.head() == head


def test_it_is_hidden_from_those_who_may_not_see_the_incident(
    apis: tuple[Api, Api],
    ref: str,
) -> None:
    one, _ = apis
    stranger = _agent(one, "stranger", "theirs")
    user = _agent(one, "user", "ours", "client")
    auditor = _agent(one, "auditor", role="auditor")
    url = f"{one.url}/v1/stream"
    with (
        listening(url, _bearer(stranger), incident=ref) as to_stranger,
        listening(url, _bearer(auditor), incident=ref) as to_auditor,
    ):
        _report(one, _agent(one, "amina"), ref, page="page-two", form="note")
        last = one.happened(opened("INC-999777", client="theirs"))
        for said in (to_stranger, to_auditor):
            blocks = (each for each in said if each.id and int(each.id) >= last)
            assert next(blocks).event is None

    for token, status in ((stranger, 404), (user, 403), (auditor, 403)):
        for method, body in (("GET", {}), ("POST", {"json": {"page": "page-one"}})):
            answer = one.call(method, _place(ref), None, _bearer(token), **body)
            problem(answer, status)


def test_who_loses_sight_of_an_incident_is_told_no_more(
    apis: tuple[Api, Api], ref: str
) -> None:
    one, _ = apis
    limited, other = _agent(one, "limited", "ours"), _agent(one, "other")
    with listening(f"{one.url}/v1/stream", _bearer(limited), incident=ref) as said:
        _report(one, other, ref)
        assert events(said, 1)[0].event == "presence"
        last = one.happened(
            IncidentClassified(
                at=START,
                by="person:paul",
                incident=ref,
                policy=1,
                client="theirs",
                service="portal",
                impact="medium",
                urgency="medium",
                priority="p3",
            )
        )
        _report(one, other, ref, form="note")
        heard = []
        for block in said:
            if block.id and int(block.id) >= last:
                break
            heard.append(block.event)

    assert heard == []


def test_a_right_that_is_withdrawn_ends_it(apis: tuple[Api, Api], ref: str) -> None:
    one, _ = apis
    token = _agent(one, "leaving")
    with listening(f"{one.url}/v1/stream", _bearer(token), incident=ref) as said:
        _report(one, token, ref)
        with one.log.transaction() as cursor:
            assert revoke(cursor, token.split("_")[1], datetime.now(UTC))
        assert list(said) is not None
    answer = one.call(
        "POST", _place(ref), None, _bearer(token), json={"page": "page-one"}
    )
    problem(answer, 401)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"page": "short"},
        {"page": "page-one", "form": "A script\n"},
        {"page": "page-one", "person": "somebody-else"},
    ],
    ids=["nothing", "no id", "no form", "another person"],
)
def test_what_is_no_report_is_refused(
    apis: tuple[Api, Api], ref: str, body: dict[str, str]
) -> None:
    one, _ = apis

    problem(one.call("POST", _place(ref), json=body), 422)


def test_what_is_no_incident_has_nobody(apis: tuple[Api, Api]) -> None:
    one, _ = apis
    place = "/v1/incidents/INC-999999/presence"

    problem(one.call("POST", place, json={"page": "page-one"}), 404)


def test_a_flood_is_refused_and_others_are_not(apis: tuple[Api, Api], ref: str) -> None:
    one, _ = apis
    flood, other = _agent(one, "flood"), _agent(one, "calm")
    answers = [
        one.call(
            "POST", _place(ref), None, _bearer(flood), json={"page": f"page-{n:04d}"}
        )
        for n in range(7)
    ]
    assert [each.status_code for each in answers] == [200] * 5 + [429] * 2
    assert answers[-1].headers["Retry-After"]
    _report(one, other, ref)


def test_a_message_that_is_not_of_ours_is_ignored(
    apis: tuple[Api, Api], ref: str, nats_server: NatsServer
) -> None:
    one, two = apis
    nadia = _agent(one, "reader")

    async def shout() -> None:
        async with nats_session(nats_server.bus.url("projections")) as client:
            for junk in (b"{", b'{"origin": "x"}', b"\xff"):
                await client.publish(subjects.PRESENCE, junk)
            await client.flush()

    asyncio.run(shout())
    _report(two, _agent(one, "amina"), ref, form="note")
    until(
        lambda: {"person": "amina", "form": "note"} in _report(one, nadia, ref),
        "both processes go on",
    )
