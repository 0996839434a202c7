"""Who is removed is out at once: by token, session, link, and in a stream they read."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from services.intake.directory.store import import_people
from shared.domain.commands.sla import AcceptExtension
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage, Credential
from shared.security.access import create
from shared.security.sender import authentication, seal_keys_of
from shared.security.sessions import Start, begin_session
from shared.security.signed_links import (
    PURPOSE,
    USER_LINKS_PURPOSE,
    AnswerLink,
    UserLink,
    token_of,
)
from tests.support.builders.june_log import June, june, promise
from tests.support.builders.people_log import given, record, removed
from tests.support.desks.api import Api, problem
from tests.support.patience import until
from tests.support.servers.sse import listening

pytestmark = pytest.mark.servers

REF = "INC-000001"
E1 = f"{REF}-E1"
LATER = datetime.now(UTC) + timedelta(days=90)
TARIQ = {"id": "tariq", "name": "Tariq", "email": "tariq@ville.example"}


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Api:
    """Give an API with an incident that Tariq reported and has, and a question."""
    month = June(shared_api.database)
    with closing(month.log):
        month.applied()
        month.opens(june(2, 9), REF, reporter="tariq")
        month.says(
            june(2, 9), "incident.assigned", REF, team="accueil", assignee="tariq"
        )
        promise(month, REF, 2, 9)
        question = {
            "target": "ttr",
            "cycle": 1,
            "extension": E1,
            "proposed_at": june(2, 9),
            "proposed_due_at": june(9, 9),
            "reason": "La pièce manque.",
            "expires_at": LATER,
            "asked": ["tariq"],
        }
        month.says(june(2, 9), "sla.extension_proposed", REF, **question)
        with month.log.transaction() as cursor:
            import_people(cursor, [TARIQ], june(1))
        for person in ("tariq", "ines"):
            record(month.log, person, given(person, 1, "agent"))
    shared_api.get("/v1/queues", min_position=month.position)
    return shared_api


def _status(api: Api, path: str, secret: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return api.call("GET", path, who=None, headers=headers).status_code


def _is_out(api: Api, path: str, secret: str) -> bool:
    return _status(api, path, secret) == 401


def test_what_somebody_leaves_behind_is_listed(desk: Api) -> None:
    duties = desk.get("/v1/people/tariq/duties", "manager")

    assert [each["ref"] for each in duties["assigned"]] == [REF]
    assert [each["ref"] for each in duties["reported"]] == [REF]
    assert {each["schedule"] for each in duties["shifts"]} == {"garde"}
    begins = [each["begins_at"] for each in duties["shifts"]]
    assert begins == sorted(begins)
    assert duties["teams"] == ["exploitation"]
    assert duties["policy"] == "teams.exploitation.members.0"
    problem(desk.call("GET", "/v1/people/tariq/duties", "agent"), 403)


def test_rights_are_listed_with_their_giver_and_their_end(desk: Api) -> None:
    own = desk.get("/v1/people/paul/rights")
    everybody = desk.get("/v1/rights", "auditor", ended="true")["items"]

    assert [each["kind"] for each in own["items"]] == ["token"]
    assert ("ines", "ines.1", "person:root") in [
        (each["person"], each["id"], each["given_by"]) for each in everybody
    ]
    problem(desk.call("GET", "/v1/people/ines/rights"), 403)
    problem(desk.call("GET", "/v1/rights"), 403)
    table = desk.call("GET", "/v1/rights", "manager", {"Accept": "text/csv"})
    assert table.text.startswith("kind,id,person,roles,clients,services,teams,given_by")


def test_a_removal_ends_everything_at_once(desk: Api) -> None:
    log = desk.log
    with log.transaction() as cursor:
        now = datetime.now(UTC)
        token = create(cursor, now, "person:tariq", ["agent"]).token
        start = Start("person:tariq", "mail")
        session = begin_session(cursor, seal_keys_of(log), now, start).secret
    keys = log.vault.key_for(USER_LINKS_PURPOSE), log.vault.key_for(PURPOSE)
    page = token_of(keys[0] or b"", UserLink(REF, "tariq", LATER))
    answer = token_of(keys[1] or b"", AnswerLink(E1, "tariq", LATER))
    by_credential = [("/v1/queues", token), ("/v1/me", session)]
    by_link = [f"/v1/user-pages/{page}", f"/v1/answers/{answer}"]
    assert {_status(desk, *each) for each in by_credential} == {200}
    assert {_status(desk, each) for each in by_link} == {200}

    stream = f"{desk.url}/v1/stream"
    with (
        listening(stream, {"Authorization": f"Bearer {token}"}) as by_token,
        listening(stream, {"Authorization": f"Bearer {session}"}) as by_session,
    ):
        next(by_token), next(by_session)
        gone = removed("tariq").model_copy(update={"at": datetime.now(UTC)})
        record(log, "tariq", gone)
        assert {_status(desk, each) for each in by_link} == {404}
        assert (list(by_token), list(by_session)) == ([], [])

    for each in by_credential:
        until(partial(_is_out, desk, *each), "a credential is still accepted")
    ended = desk.get("/v1/people/tariq/rights", "manager")["items"]
    assert {each["kind"]: each["ended_at"] is None for each in ended} == {
        "grant": False,
        "token": False,
    }
    _is_refused_by_the_owner(desk, answer)


def _is_refused_by_the_owner(desk: Api, secret: str) -> None:
    """A thief of the API cannot send the answer either."""
    message = CommandMessage[AcceptExtension](
        incident=REF,
        record=E1,
        credential=Credential(kind="answer_link", secret=secret),
        body=AcceptExtension(channel="web"),
    )
    with ThreadPoolExecutor(1) as threads:
        owner = authentication(desk.log, lambda: datetime.now(UTC), threads)
        with pytest.raises(HttpError, match="has left"):
            asyncio.run(owner.request(message))
