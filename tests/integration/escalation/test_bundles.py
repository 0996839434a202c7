"""A flood of pages to one contact method: few messages, then one about all the rest.

Rules request pages by mail; the test asks for the same pages by another channel.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from services.escalation.bundles.admission import SETTLED
from services.escalation.notifications import dispatcher, outbox
from services.escalation.notifications.channels.retry import Delivered, Failed
from services.escalation.notifications.contacts import Contacts
from services.escalation.notifications.delivery_reports import DeliveryReports
from services.escalation.notifications.team_channels import TeamChannels
from shared.domain import events
from shared.domain.events.administration import STREAM
from shared.domain.identifiers import (
    incident_ref,
    incident_stream,
)
from shared.eventlog.append import AppendUnit
from shared.messaging.delivery_reports import DeliveryReport, keep
from shared.process_manager.worker import CaseBehindLog
from tests.support.builders.promises import FILE
from tests.support.builders.short_events import note
from tests.support.desks.on_call.page_flood import (
    BRUNO,
    FLOOD,
    PUBLIC_URL,
    Flood,
    Kept,
    flooded_desk,
)
from tests.support.servers.servers import Database
from tests.support.servers.webhook_receiver import open_postbox

pytestmark = pytest.mark.servers


@pytest.fixture
def flood(database: Database, request: pytest.FixtureRequest) -> Iterator[Flood]:
    """Bruno is paged by a step with the condition in `request`, by default none."""
    condition = getattr(request, "param", "")
    with flooded_desk(database, condition) as found:
        yield found


def test_of_twelve_pages_at_once_five_leave_alone_and_the_rest_as_one(
    flood: Flood,
) -> None:
    flood.asks("ntfy", range(1, FLOOD + 1))
    with open_postbox() as server:
        server.status, server.body = 200, b'{"id": "x1"}'
        flood.sends(ntfy_url=server.origin)
        alone = len(server.requests)
        flood.waits(seconds=4)
        flood.sends(ntfy_url=server.origin)
        early = len(server.requests)
        flood.waits(seconds=2)
        flood.sends(ntfy_url=server.origin)
        sent = [json.loads(each.body) for each in server.requests]

    assert (alone, early, len(sent)) == (5, 5, 6)
    (bundle,) = flood.bundles()
    refs = sorted(each.incident for each in bundle.members)
    assert len(refs) == 7
    assert sent[-1]["message"] == f"P2: {refs[0]}, {refs[1]} and 5 more wait for you"
    (action,) = sent[-1]["actions"]
    assert action["label"] == "I take them all"
    assert action["url"].startswith(f"{PUBLIC_URL}/take-all/")
    for number in flood.requests:
        in_bundle = incident_ref(number) in refs
        states = ["requested", "throttled", "sent", "confirmed"]
        assert flood.types(number) == (
            states if in_bundle else [states[0], *states[2:]]
        )
        (went,) = [e for e in flood.of(number) if e.type == "notification.sent"]
        assert isinstance(went, events.NotificationSent)
        assert went.bundle == (bundle.bundle if in_bundle else None)


def test_pages_composed_together_are_as_those_composed_alone(flood: Flood) -> None:
    flood.asks("ntfy", range(1, 4))
    pages = flood.heads()
    compose = flood.composer(Contacts(lambda _, __: BRUNO), TeamChannels())
    together = compose([*pages, *map(_to_receiver, pages)])

    alone = [compose([each]) for each in (*pages, *map(_to_receiver, pages))]
    assert [[each] for each in together] == alone
    assert len({str(each) for each in together}) == 2 * len(pages)


def _to_receiver(page: outbox.Waiting) -> outbox.Waiting:
    return replace(page, key=f"{page.key}-desk", channel="webhook", person="")


def test_a_bundle_that_was_sent_and_not_recorded_is_sent_again_as_it_was(
    flood: Flood,
) -> None:
    kept = Kept()
    flood.asks("sms", range(1, 5))
    flood.sends(kept)
    kept.outcome = None  # the process dies after it handed it over
    flood.waits(minutes=1)
    flood.sends(kept)
    flood.asks("sms", range(5, 8))  # pages that come later are not in it
    kept.outcome = Delivered("kept")
    flood.sends(kept)

    _, lost, again = kept.parcels
    assert again == lost
    (bundle,) = flood.bundles()
    assert len(bundle.members) == 3
    states = ["requested", "throttled", "sent", "confirmed"]
    assert [flood.types(n) for n in range(1, 5)].count(states) == 3
    assert flood.heads() == []


def test_a_bundle_leaves_although_one_of_its_pages_cannot_be_recorded(
    flood: Flood, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept()
    flood.asks("sms", range(1, 5))
    flood.sends(kept)
    kept.outcome = None  # the process dies after it handed it over
    flood.waits(minutes=1)
    flood.sends(kept)
    (bundle,) = flood.bundles()
    *others, lost = [number_of(each) for each in bundle.members]
    flood.desk.sla.tell(
        "DELETE FROM escalation.cases WHERE incident = %s", incident_ref(lost)
    )
    kept.outcome = Delivered("kept")
    monkeypatch.setattr(dispatcher, "ATTEMPTS_MAX", 1)
    with pytest.raises(CaseBehindLog):  # that page alone, which is sent again later
        flood.sends(kept)

    assert kept.parcels[2] == kept.parcels[1]
    states = ["requested", "throttled", "sent"]
    assert [flood.types(n) for n in others] == [[*states, "confirmed"]] * 2
    assert flood.types(lost) == states


def test_a_bundle_names_an_incident_that_cannot_be_read_last(flood: Flood) -> None:
    kept = Kept()
    flood.asks("sms", range(1, 5))
    flood.sends(kept)
    first, *others = sorted(n for n in range(1, 5) if "throttled" in flood.types(n))
    stream = incident_stream(incident_ref(first))
    intake = flood.desk.sla.intake
    with intake.transaction() as cursor:
        version = intake.head_version(stream) + 1
        intake.append(cursor, [AppendUnit((note(stream, version),))])
    flood.waits(minutes=1)
    flood.sends(kept)

    one, two, three = map(incident_ref, (*others, first))
    said = kept.parcels[-1].message.summary
    assert said == f"P2: {one}, {two} and {three} wait for you"


def test_a_bundle_that_fails_fails_for_each_of_its_pages(flood: Flood) -> None:
    kept = Kept()
    flood.asks("sms", range(1, 4))
    flood.sends(kept)
    kept.outcome = Failed("no such number", permanent=True)
    flood.waits(minutes=1)
    flood.sends(kept)

    (bundle,) = flood.bundles()
    for member in bundle.members:
        failed = flood.of(number_of(member))[-1]
        assert isinstance(failed, events.NotificationFailed)
        assert failed.reason == "no such number"


def no_tests(_cursor: object, report: DeliveryReport) -> None:
    raise AssertionError(f"{report.key} is about no page test")


def number_of(member: events.BundleMember) -> int:
    return int(member.key.removeprefix("k-"))


@pytest.mark.parametrize("lost", [0, 1])
def test_what_the_provider_reports_about_a_bundle_is_recorded_for_each_of_its_pages(
    flood: Flood, lost: int
) -> None:
    """Although one of them cannot be recorded: that one is tried again."""
    kept, now = Kept(), flood.desk.sla.now
    flood.asks("sms", range(1, 5))
    flood.sends(kept)
    flood.waits(minutes=1)
    flood.sends(kept)
    (bundle,) = flood.bundles()
    gone = [number_of(each) for each in bundle.members[:lost]]
    for number in gone:
        flood.desk.sla.tell(
            "DELETE FROM escalation.cases WHERE incident = %s", incident_ref(number)
        )
    report = DeliveryReport(
        bundle.bundle, "delivered", bundle.incident, "twilio", "", now
    )
    with psycopg.connect(flood.desk.sla.database.dsn("desk_intake")) as intake:
        keep(intake.cursor(), report)
    with ThreadPoolExecutor(1) as threads:
        log, clock = flood.desk.log, flood.desk.sla.clock
        reports = DeliveryReports(log, flood.desk.worker, clock, threads, no_tests)
        assert reports.record_next()
        assert not reports.record_next()

    delivered = [n for n in range(1, 5) if flood.types(n)[-1] == "delivered"]
    members = [number_of(each) for each in bundle.members]
    assert delivered == sorted({*members} - {*gone})
    left = flood.desk.sla.ask("SELECT count(*) FROM escalation.delivery_reports")
    assert left == [(lost,)]


def accepts(flood: Flood, number: int, person: str, wanted: int | None) -> None:
    """Let a person accept an incident of which `wanted` more have to."""
    accepted = events.EscalationAccepted(
        **flood.common(number), person=person, how="accepted", still_wanted=wanted
    )
    flood.records(number, accepted)


def happens(flood: Flood, number: int, kind: type[Any], **words: Any) -> None:
    """Let intake record an event about an incident, and escalation read it."""
    given = {"policy": 1, "at": flood.desk.sla.now, "by": "person:nadia"}
    flood.desk.sla.happens(kind(incident=incident_ref(number), **given | words))
    flood.desk.read()


def lets_time_pass(_flood: Flood, _number: int) -> None:
    """Nothing happens."""


def chloe_accepts(flood: Flood, number: int) -> None:
    accepts(flood, number, "chloe", None)


def bruno_accepts(flood: Flood, number: int) -> None:
    accepts(flood, number, "bruno", 1)


def bruno_declines(flood: Flood, number: int) -> None:
    flood.records(
        number,
        events.EscalationDeclined(
            **flood.common(number),
            page=f"{incident_ref(number)}.1.1.n2.0.1",
            person="bruno",
        ),
    )


def the_desk_acknowledges(flood: Flood, number: int) -> None:
    happens(flood, number, events.IncidentAcknowledged)


def is_given_to_n3(flood: Flood, number: int) -> None:
    happens(flood, number, events.IncidentAssigned, team="etudes")


def returns(flood: Flood, number: int) -> None:
    happens(flood, number, events.IncidentAssigned, team="desk")


def is_restored(flood: Flood, number: int) -> None:
    happens(flood, number, events.IncidentRestored)


def is_cancelled(flood: Flood, number: int) -> None:
    happens(flood, number, events.IncidentCancelled, reason="duplicate")


ACCEPTED, ACKNOWLEDGED = "unless: accepted,", "unless: acknowledged,"
Happening = Callable[[Flood, int], None]


@pytest.mark.parametrize(
    ("flood", "happening"),
    [
        (ACCEPTED, chloe_accepts),
        (ACKNOWLEDGED, the_desk_acknowledges),
        ("", bruno_accepts),
        ("", bruno_declines),
        ("", is_given_to_n3),
        ("", returns),
        ("", is_restored),
        ("", is_cancelled),
    ],
    indirect=["flood"],
)
def test_a_page_that_had_to_wait_is_not_sent_once_it_is_not_wanted_any_more(
    flood: Flood, happening: Happening
) -> None:
    kept = Kept()
    flood.asks("sms", (1, 2, 3))
    flood.sends(kept)
    held, other = (n for n in (1, 2, 3) if "throttled" in flood.types(n))
    happening(flood, held)
    flood.waits(minutes=1)
    flood.sends(kept)

    assert [each.key for each in kept.parcels[1:]] == [f"k-{other}"]
    assert flood.bundles() == []
    failed = flood.of(held)[-1]
    assert isinstance(failed, events.NotificationFailed)
    assert failed.reason == SETTLED


@pytest.mark.parametrize(
    ("flood", "happening"),
    [
        ("", chloe_accepts),
        (ACKNOWLEDGED, chloe_accepts),
        (ACCEPTED, lets_time_pass),
        ("acknowledgements: 2,", chloe_accepts),
    ],
    indirect=["flood"],
)
def test_a_page_that_had_to_wait_is_sent_as_long_as_its_step_wants_it(
    flood: Flood, happening: Happening
) -> None:
    kept = Kept()
    flood.asks("sms", (1, 2, 3))
    flood.sends(kept)
    held = [n for n in (1, 2, 3) if "throttled" in flood.types(n)]
    for number in held:
        happening(flood, number)
    flood.waits(minutes=1)
    flood.sends(kept)

    (bundle,) = flood.bundles()
    assert {each.key for each in bundle.members} == {f"k-{n}" for n in held}


@pytest.mark.parametrize("flood", [ACCEPTED], indirect=True)
def test_a_page_that_a_provider_did_not_take_is_not_tried_again_once_it_is_not_wanted(
    flood: Flood,
) -> None:
    kept = Kept(outcome=Failed("busy", permanent=False))
    flood.asks("sms", [1])
    flood.sends(kept)
    chloe_accepts(flood, 1)
    flood.waits(minutes=5)
    flood.sends(kept)

    assert len(kept.parcels) == 1
    assert flood.types(1)[-1] == "failed"


def test_pages_that_waited_leave_at_once_when_a_policy_lifts_the_limit(
    flood: Flood,
) -> None:
    kept = Kept()
    flood.asks("sms", (1, 2, 3))
    flood.sends(kept)
    assert flood.heads() == []
    limits = "channels:\n  sms: {limits: []}\n"
    flood.desk.sla.applies(limits + FILE.read_text(encoding="utf-8"))
    applied = flood.desk.log.history(STREAM)
    with flood.desk.log.transaction() as cursor:
        assert outbox.follow(cursor, applied[-1:])
    flood.sends(kept)

    (bundle,) = flood.bundles()
    assert len(bundle.members) == 2
    assert [flood.types(n)[-1] for n in (1, 2, 3)] == ["confirmed"] * 3


def test_the_outbox_of_a_restored_log_knows_what_waited_and_what_left_together(
    flood: Flood,
) -> None:
    """Escalation reads its own events again, and sends the bundle as recorded."""
    kept = Kept(outcome=None)
    flood.asks("sms", range(1, 5))
    flood.sends(replace(kept, outcome=Delivered("kept")))
    flood.waits(minutes=1)
    flood.sends(kept)
    flood.desk.sla.tell("TRUNCATE escalation.outbox, escalation.held_pages")
    past = [e for n in range(1, 5) for e in flood.entries(n)]
    ours = ("bundled", "throttled", "requested", "sent", "confirmed")
    read = [
        entry
        for entry in sorted(past, key=lambda each: each.position)
        if entry.event.type.removeprefix("notification.") in ours
        and getattr(entry.event, "key", "k-").startswith("k-")
    ]
    with flood.desk.log.transaction() as cursor:
        outbox.follow(cursor, read)
    again = Kept()
    flood.sends(again)

    assert again.parcels == kept.parcels[1:]
    assert flood.heads() == []


@pytest.mark.parametrize("flood", [ACCEPTED], indirect=True)
def test_a_bundle_that_a_provider_did_not_take_is_tried_again_as_long_as_one_page_asks(
    flood: Flood,
) -> None:
    kept = Kept()
    flood.asks("sms", (1, 2, 3))
    flood.sends(kept)
    held = [n for n in (1, 2, 3) if "throttled" in flood.types(n)]
    kept.outcome = Failed("busy", permanent=False)
    flood.waits(minutes=1)
    flood.sends(kept)
    for sent, number in enumerate(held, 3):
        flood.waits(minutes=2)
        flood.sends(kept)
        assert len(kept.parcels) == sent
        chloe_accepts(flood, number)
    flood.waits(minutes=2)
    flood.sends(kept)

    assert len({each.key for each in kept.parcels[1:]}) == 1
    assert len(kept.parcels) == 4
    assert {flood.of(n)[-1].reason for n in held} == {SETTLED}  # type: ignore[union-attr]
    assert flood.heads() == []
