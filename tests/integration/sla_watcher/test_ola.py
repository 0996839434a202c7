"""What support levels owe, and a warning after the breach, through the running desk."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.builders.promises import FILE, local
from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.folders import reachable_folder
from tests.support.patience import until

pytestmark = pytest.mark.servers

REPLACED = (
    (
        "    warn:   [75%]\n",
        "    warn:   [75%, 30m after]\n    ola:    {n2: {own: 10m, work: 2h}}\n",
    ),
    ("  acknowledged_for: 4h ", "  accepted_for: never\n  acknowledged_for: 4h "),
)
WARNED = (
    "SELECT event ->> 'warned_at', event ->> 'after_seconds' FROM log.readable"
    " WHERE type = 'sla.warned' AND event ->> 'target' = 'ttr'"
    " AND event ->> 'after_seconds' IS NOT NULL"
)


@pytest.fixture
def desk() -> Iterator[CallingDesk]:
    text = FILE.read_text(encoding="utf-8")
    for old, new in REPLACED:
        text = text.replace(old, new)
    with reachable_folder() as folder:
        policy = folder / "permanence.yaml"
        policy.write_text(text, encoding="utf-8")
        with calling_desk(folder, policy=policy) as running:
            yield running


def owed(desk: CallingDesk, incident: str) -> dict[str, Any]:
    olas = desk.get(f"/v1/incidents/{incident}/sla")["olas"]
    return {each["target"]: each["state"] for each in olas}


def test_a_level_that_is_late_is_so_once_and_the_user_hears_nothing_of_it(
    desk: CallingDesk,
) -> None:
    incident = desk.open()
    desk.post(f"/v1/incidents/{incident}/escalate", {"reason": "personne ici"})
    until(lambda: "ola_n2_own" in owed(desk, incident), "what N2 owes")
    until(lambda: len(desk.to("roche")) == 2, "receipt and N2")
    desk.desk.move_to(local("09:30"))
    late = {"ola_n2_own": "breached", "ola_n2_work": "running"}
    until(lambda: owed(desk, incident) == late, "N2 is late")
    desk.post(f"/v1/incidents/{incident}/accept", who="chloe")
    desk.desk.move_to(local("15:45"))
    until(lambda: len(desk.sql(WARNED)) == 1, "the warning after the breach")

    ((warned_at, after),) = desk.sql(WARNED)
    assert (warned_at, after) == ("2025-06-30T13:40:00Z", "1800")
    assert owed(desk, incident) == dict.fromkeys(late, "breached")
    breaches = desk.sql(
        "SELECT event ->> 'breached_at' FROM log.readable WHERE type = 'sla.breached'"
        " AND event ->> 'target' LIKE 'ola%%' ORDER BY position"
    )
    assert breaches == [("2025-06-30T07:20:00Z",), ("2025-06-30T09:10:00Z",)]
    assert len(desk.to("roche")) == 2
