"""What time alone changes: by any number of loops, once; also behind and in trouble."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from services.intake.policy.store import Policies
from services.intake.records.signal import signal_key
from services.intake.records.store import RecordCache
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.rules.context import GIVEN_UP_AFTER
from services.intake.signals.schemas import TIMER, Delivery, Result, TimePassed
from services.intake.signals.store import Receiver
from services.intake.signals.timers import Timers
from services.intake.source_api.explain_endpoints import decisions
from shared.domain.events.incident_signals import IncidentRecovered
from shared.eventlog.batcher import Batcher
from shared.http.serve import end
from tests.integration.intake.conftest import NOW, Hands, hands_on
from tests.integration.intake.signals.test_groups import apply, fires, workers_on
from tests.integration.intake.signals.test_receiving import count, receive, types
from tests.integration.intake.test_auto_close import Watch
from tests.support.patience import eventually
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

HOLD = "{type: native, service: mail, hold_down: 10m}"
LATER = "{type: native, service: mail, open_after: 2m}"
TEN = timedelta(minutes=10)


@asynccontextmanager
async def at_work(
    hands: Hands, watch: Watch, processes: int = 1
) -> AsyncIterator[list[Timers]]:
    """Run the timers of so many processes of intake."""
    stop = asyncio.Event()
    with ThreadPoolExecutor(4) as executor:
        tasks, loops = [], []
        for _ in range(processes):
            cache, policies = RecordCache(hands.log), Policies(hands.log)
            receiver = Receiver(hands.log, cache, policies, watch)
            signals = Batcher[Delivery, list[Result]](
                receiver.flush, executor, weight_max=10, waiting_max=1_000
            )
            timers = Timers(hands.log, policies, watch, signals)
            loops.append(timers)
            tasks += [
                asyncio.create_task(signals.run()),
                asyncio.create_task(timers.run(stop)),
            ]
        try:
            yield loops
        finally:
            stop.set()
            for task in tasks:
                await end(task)


def recoveries(hands: Hands) -> list[IncidentRecovered]:
    entries = hands.log.since(0, 5_000)
    return [e.event for e in entries if isinstance(e.event, IncidentRecovered)]


def test_two_loops_let_each_recovery_take_effect_once(ruled: Database) -> None:
    apply(ruled, HOLD)

    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=10), Watch()
        keys = [f"web-{n}" for n in range(60)]
        receive(hands, *map(fires, keys))
        results = receive(hands, *(fires(k, "lyon", "resolve") for k in keys))
        assert {result.status for result in results} == {"held"}
        async with at_work(hands, watch, processes=2):
            watch.now = NOW + TEN
            await eventually(lambda: len(recoveries(hands)) >= 60)
        told = recoveries(hands)
        assert len(told) == 60
        assert {each.held_until for each in told} == {NOW + TEN}
        assert count(hands, "intake.signal_keys WHERE due_at IS NOT NULL") == 0

    asyncio.run(story())


def test_a_timer_handed_over_twice_is_nothing(ruled: Database) -> None:
    apply(ruled, HOLD)
    (hands,) = workers_on(ruled, 1)
    receive(hands, fires("web-1"))
    receive(hands, fires("web-1", "lyon", "resolve"))
    watch = Watch()
    watch.now = NOW + TEN
    receiver = Receiver(hands.log, RecordCache(hands.log), Policies(hands.log), watch)
    timer = TimePassed(signal_key("demo", "web-1"), "demo")
    twice = Delivery("demo", TIMER, b"", 0, (timer, timer), watch.now)
    early = Delivery("demo", TIMER, b"", 0, (timer,), NOW)
    watch.now = NOW
    receiver.flush([early])
    assert len(recoveries(hands)) == 0

    watch.now = NOW + TEN
    for _ in range(2):
        receiver.flush([twice])
    assert len(recoveries(hands)) == 1
    assert count(hands, "intake.raw_bodies") == 2


def test_a_policy_changed_meanwhile_lets_what_is_held_run_out(ruled: Database) -> None:
    apply(ruled, LATER)

    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=10), Watch()
        (held,) = receive(hands, fires("web-1"))
        assert held.status == "held"
        apply(ruled, "{type: native, service: mail}")
        async with at_work(hands, watch):
            watch.now = NOW + timedelta(minutes=2)
            await eventually(lambda: "incident.opened" in types(hands))

    asyncio.run(story())


def test_what_is_due_after_a_long_absence_is_done_with_its_own_instant(
    ruled: Database,
) -> None:
    apply(ruled, HOLD)

    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=10), Watch()
        receive(hands, fires("web-1"))
        receive(hands, fires("web-1", "lyon", "resolve"))
        watch.now = NOW + timedelta(days=2)
        async with at_work(hands, watch):
            await eventually(lambda: len(recoveries(hands)) == 1)
        (told,) = recoveries(hands)
        assert (told.held_until, told.at) == (NOW + TEN, watch.now)

    asyncio.run(story())


def test_a_format_that_never_recovers_is_given_up_once(ruled: Database) -> None:
    """No word of the policy is needed: its source may not even be in there."""

    async def story() -> None:
        hands, watch = hands_on(ruled, pool_size=10), Watch()
        event = {"id": "17", "message": "boom", "event": {"event_id": "a"}}
        heard = ADAPTERS["sentry_legacy"](event, InboundDocument("errors", NOW))
        body = Delivery("errors", "sentry_legacy", b"{}", 0, tuple(heard), NOW)
        (results,) = hands.receiver.flush([body])
        assert isinstance(results, list)
        (opened,) = results
        async with at_work(hands, watch, processes=2):
            watch.now = NOW + GIVEN_UP_AFTER
            await eventually(lambda: "incident.resolved" in types(hands))
        (told,) = recoveries(hands)
        assert (told.rule, told.rule_of, told.by) == ("timeout", "24h", "system:intake")
        assert told.held_until == NOW + GIVEN_UP_AFTER
        (decision,) = decisions(hands.log, ["errors"], str(opened.dedup_key))
        assert "no recovery was heard for 24h" in decision.sentence

    asyncio.run(story())
