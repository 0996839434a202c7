"""Pages to the channels of teams: limited, bundled, and without any answer."""

import json
import re
from collections.abc import Iterator

import pytest

from services.escalation.notifications.team_channels import (
    NO_ADDRESS,
    NOT_IN_POLICY,
)
from services.escalation.rules.context import BY
from shared.domain import events
from shared.domain.policy.teams import ChannelRule, TeamChannel
from tests.support.builders.promises import valmont
from tests.support.desks.on_call.page_flood import (
    FLOOD,
    PUBLIC_URL,
    Flood,
    flooded_desk,
)
from tests.support.servers.servers import Database
from tests.support.servers.webhook_receiver import open_postbox

pytestmark = pytest.mark.servers


@pytest.fixture
def flood(database: Database) -> Iterator[Flood]:
    with flooded_desk(database) as found:
        yield found


ROOM = "!support:matrix.example"
OF_A_TEAM = valmont(
    (
        "schedule: astreinte}",
        f'schedule: astreinte, channels: {{ops: {{channel: matrix, to: "{ROOM}"}}}}}}',
    )
)
TO_THE_TEAM = {"person": None, "method": None, "team_channel": "ops"}


def test_a_room_of_a_team_gets_few_messages_too_and_none_that_takes_anything(
    flood: Flood,
) -> None:
    flood.policy = OF_A_TEAM
    flood.asks("matrix", range(1, FLOOD + 1), **TO_THE_TEAM)
    with open_postbox() as server:
        server.status, server.body = 200, b'{"event_id": "x1"}'
        settings = {"matrix_url": server.origin, "matrix_token": "ours"}
        flood.sends(**settings)
        flood.waits(seconds=6)
        flood.sends(**settings)
        flood.sends(**settings)
        sent = [json.loads(each.body)["body"] for each in server.requests]

    assert len(sent) == 6
    assert all(
        re.fullmatch(
            r"(INC-\d+) P2\s: quelqu’un est demandé\s: Paie: Paie en panne\n"
            rf"Ouvrir l’incident: {PUBLIC_URL}/incidents/\1",
            each,
        )
        for each in sent[:-1]
    )
    assert "attendent quelqu’un" in sent[-1]
    assert "/take" not in "".join(sent)
    (bundle,) = flood.bundles()
    assert (bundle.person, bundle.team_channel, len(bundle.members)) == (
        None,
        "ops",
        7,
    )
    assert {flood.types(number)[-1] for number in flood.requests} == {"confirmed"}


@pytest.mark.parametrize(
    ("internal", "line"),
    [(True, "Bruno s’en charge"), (False, "Quelqu’un s’en charge")],
)
def test_a_room_hears_who_took_it_if_its_channel_is_internal(
    flood: Flood, internal: bool, line: str
) -> None:
    rules = {"matrix": ChannelRule(internal=internal)}
    flood.policy = OF_A_TEAM.model_copy(update={"channels": rules})
    page = flood.requests[1]
    accepted = events.EscalationAccepted(
        at=flood.desk.sla.now,
        by=BY,
        incident=page.incident,
        policy=1,
        cycle=1,
        level="n2",
        person="bruno",
        how="accepted",
        team_channels=("ops",),
    )
    flood.records(1, accepted)
    cause = next(e for e in flood.entries(1) if e.event == accepted)
    about = {"kind": "taken_by_colleague", "cause_version": cause.version}
    flood.asks("matrix", [1], **TO_THE_TEAM, **about)
    with open_postbox() as server:
        server.status, server.body = 200, b'{"event_id": "x1"}'
        flood.sends(matrix_url=server.origin, matrix_token="ours")
        (sent,) = (json.loads(each.body) for each in server.requests)

    assert line in sent["body"]
    assert (sent["msgtype"], sent["m.mentions"]) == ("m.notice", {})


def test_a_room_that_the_policy_does_not_have_or_that_has_no_address_fails(
    flood: Flood,
) -> None:
    flood.asks("matrix", [1], **TO_THE_TEAM)
    team = OF_A_TEAM.teams["support"]
    topic = team.model_copy(update={"channels": {"ops": TeamChannel(channel="ntfy")}})
    with open_postbox() as server:
        flood.sends(matrix_url=server.origin, matrix_token="ours")
        flood.policy = OF_A_TEAM.model_copy(
            update={"teams": {**OF_A_TEAM.teams, "support": topic}}
        )
        flood.asks("ntfy", [2], **TO_THE_TEAM)
        flood.sends(ntfy_url=server.origin)
        assert server.requests == []

    failures = [flood.of(1)[-1], flood.of(2)[-1]]
    assert [getattr(each, "reason", None) for each in failures] == [
        NOT_IN_POLICY.reason,
        NO_ADDRESS.reason,
    ]
