"""Groups under many workers: one incident each, no deadlock, nothing left behind."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from services.intake.records.alert_keys import lock_numbers, number_of
from services.intake.records.signal import Signal, signal_key
from services.intake.signals import key_rows
from shared.domain.commands.incident import Merge, Split
from shared.domain.events.incident import IncidentOpened
from shared.domain.identifiers import incident_stream
from shared.eventlog.log import EventLog
from tests.integration.intake.commands.test_commands import done
from tests.integration.intake.conftest import NOW, POLICY, Hands, hands_on
from tests.integration.intake.signals.test_receiving import receive
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

TOGETHER = "{type: native, correlate: {by: [labels.site], within: 10m}}"
THREE = "{type: native, correlate: {by: [labels.site], within: 10m, threshold: 3}}"


def apply(database: Database, settings: str) -> None:
    """Say of the source `demo` what these settings say."""
    log = EventLog.open(database.owner_dsn)
    text = POLICY.read_text(encoding="utf-8")
    text = text.replace("demo: {type: native}", f"demo: {settings}")
    signature = Signature(by="root", reason="a source with settings")
    applied = policy_store.apply(log, text, signature, NOW, "test")
    assert isinstance(applied, Applied), applied
    log.close()


def workers_on(ruled: Database, number: int) -> list[Hands]:
    return [hands_on(ruled) for _ in range(number)]


def fires(key: str, site: str = "lyon", action: str = "trigger") -> Signal:
    return Signal.model_validate(
        {
            "source": "demo",
            "dedup_key": key,
            "action": action,
            "title": f"{key} is down",
            "labels": {"site": site} if site else {},
        }
    )


def opened(hands: Hands) -> list[IncidentOpened]:
    entries = hands.log.since(0, 5_000)
    return [e.event for e in entries if isinstance(e.event, IncidentOpened)]


def incidents(hands: Hands) -> dict[str, set[str]]:
    """Return the keys of each incident, as the rows have them."""
    with hands.log.transaction() as cursor:
        rows = cursor.execute(
            "SELECT incident, signal_key FROM intake.signal_keys"
        ).fetchall()
    found: dict[str, set[str]] = {}
    for incident, key in rows:
        found.setdefault(incident, set()).add(key)
    return found


def test_eight_workers_with_one_group_open_one_incident(ruled: Database) -> None:
    apply(ruled, TOGETHER)
    workers = workers_on(ruled, 8)
    with ThreadPoolExecutor(8) as pool:
        lists = pool.map(
            lambda n: receive(workers[n], fires(f"web-{n}"), fires(f"db-{n}")), range(8)
        )
        statuses = sorted(result.status for results in lists for result in results)

        assert statuses == ["opened"] + ["signalled"] * 15
        assert len(opened(workers[0])) == 1
        assert [len(keys) for keys in incidents(workers[0]).values()] == [16]


@pytest.mark.parametrize("settings", [TOGETHER, THREE])
def test_many_groups_in_any_order_never_deadlock(
    ruled: Database, settings: str
) -> None:
    apply(ruled, settings)
    troubles = [fires(f"{n}", f"site-{n % 5}") for n in range(40)]

    workers = workers_on(ruled, 8)
    with ThreadPoolExecutor(8) as pool:

        def storm(n: int) -> set[str]:
            ordered = troubles[n * 5 :] + troubles[: n * 5]
            ordered = ordered if n % 2 else ordered[::-1]
            parts = [ordered[first : first + 7] for first in range(0, 40, 7)]
            return {r.status for part in parts for r in receive(workers[n], *part)}

        statuses = set().union(*pool.map(storm, range(8)))

        assert statuses <= {"opened", "signalled", "duplicate", "held"}
        assert len(opened(workers[0])) == 5
        assert sorted(map(len, incidents(workers[0]).values())) == [8] * 5


def test_the_threshold_is_reached_once_by_any_number_of_workers(
    ruled: Database,
) -> None:
    apply(ruled, THREE)
    workers = workers_on(ruled, 8)
    with ThreadPoolExecutor(8) as pool:
        lists = list(
            pool.map(lambda n: receive(workers[n], fires(f"web-{n}")), range(8))
        )
        statuses = sorted(result.status for (result,) in lists)

        assert statuses == ["held"] * 2 + ["opened"] + ["signalled"] * 5
        assert [len(keys) for keys in incidents(workers[0]).values()] == [8]


def test_a_recovery_without_labels_lets_go_of_what_waits(ruled: Database) -> None:
    apply(ruled, THREE)
    (hands,) = workers_on(ruled, 1)
    receive(hands, fires("web-1"), fires("web-2"))
    (result,) = receive(hands, fires("web-1", "", "resolve"))
    held, last = receive(hands, fires("web-3"), fires("web-1"))

    assert (result.status, result.rule) == ("suppressed", "threshold")
    assert (held.status, last.status) == ("held", "opened")


def test_what_waits_is_sealed(ruled: Database) -> None:
    apply(ruled, THREE)
    (hands,) = workers_on(ruled, 1)
    receive(hands, fires("web-1"))
    with hands.log.transaction() as cursor:
        row = cursor.execute("SELECT held FROM intake.signal_keys").fetchone()

    assert row
    assert "down" not in row[0]
    assert row[0].startswith("v1.")


def test_merging_and_splitting_move_what_belongs_together(ruled: Database) -> None:
    apply(ruled, TOGETHER)
    (hands,) = workers_on(ruled, 1)
    first, second = receive(hands, fires("web-1"), fires("db-1", "nice"))
    receive(hands, fires("web-2"))
    done(hands, Merge(into=str(second.incident)), str(first.incident))
    (joined,) = receive(hands, fires("web-3"))
    assert joined.incident == second.incident

    history = hands.log.history(incident_stream(str(second.incident)))
    key = getattr(history[-1].event, "signal_key", "")
    split = Split(title="another story", signal_keys=(key,))
    done(hands, split, str(second.incident))
    (apart,) = receive(hands, fires("web-3"))
    (other,) = receive(hands, fires("web-4"))
    assert apart.incident not in (first.incident, second.incident)
    assert other.incident == second.incident


def test_what_joins_the_waiting_ones_before_the_lock_is_locked_as_well(
    ruled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(ruled, THREE)
    mine, rival = workers_on(ruled, 2)
    receive(mine, fires("web-1"))
    lock, locked = lock_numbers, []
    rivals = iter([fires("web-2")])

    def lock_after_a_rival(cursor: object, numbers: Collection[int]) -> None:
        if (theirs := next(rivals, None)) is not None:
            receive(rival, theirs)
        locked.append(set(numbers))
        lock(cursor, numbers)  # type: ignore[arg-type] # as it came

    monkeypatch.setattr(key_rows, "lock_numbers", lock_after_a_rival)
    (last,) = receive(mine, fires("web-3"))

    assert last.status == "opened"
    assert number_of(signal_key("demo", "web-2")) in locked[-1]
    assert [len(keys) for keys in incidents(mine).values()] == [3]
