"""A busy desk's log of any size, always the same: incidents that live side by side."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from shared.domain.events import EVENT_TYPES, IncidentEvent
from shared.domain.identifiers import incident_ref
from shared.eventlog.entry import Entry
from tests.support.strategies.histories import START, entry

_WORDS = [
    "disk",
    "mail",
    "vpn",
    "payroll",
    "printer",
    "slow",
    "broken",
    "full",
    "down",
    "again",
]
_LIFE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("incident.acknowledged", {}),
    ("incident.assigned", {"team": "network", "assignee": "amina"}),
    ("incident.paused", {"reason": "user", "question": "Which floor is it on?"}),
    ("incident.resumed", {"cause": "reply"}),
    ("incident.informed", {"message": "Somebody is on the way to you."}),
    ("incident.restored", {"workaround": True, "note": "Moved to the other queue"}),
    ("incident.resolved", {"cycle": 1, "note": "Replaced the toner"}),
    ("incident.closed", {}),
)


def busy_log(count: int, seed: int = 7, active: int = 10) -> Iterator[Entry]:
    """Yield `count` entries, with `active` incidents under way at a time.

    An incident has about five events, and one in two is closed in the end.
    """
    random = Random(seed)  # noqa: S311 # the same log each time
    under_way: list[tuple[str, int, list[tuple[str, dict[str, Any]]]]] = []
    number = 0
    for position in range(1, count + 1):
        at = START + timedelta(seconds=position)
        if len(under_way) < active or random.random() < 0.02:
            number += 1
            steps = [step for step in _LIFE if random.random() < 0.55]
            under_way.append((incident_ref(number), 1, steps))
            yield entry(_opened(random, incident_ref(number), at), position, 1, at)
            continue
        place = random.randrange(len(under_way))
        ref, version, steps = under_way[place]
        kind, fields = steps[0] if steps else ("incident.linked", _LINK)
        yield entry(_event(ref, at, kind, fields), position, version + 1, at)
        if len(steps) > 1:
            under_way[place] = (ref, version + 1, steps[1:])
        else:
            under_way[place] = under_way[-1]
            under_way.pop()


_LINK = {"relation": "problem", "target": "PRB-1"}


def _opened(random: Random, ref: str, at: datetime) -> IncidentEvent:
    return _event(
        ref,
        at,
        "incident.opened",
        {
            "origin": "agent",
            "title": " ".join(random.choices(_WORDS, k=4)),
            "service": random.choice(["portal", "payroll", "mail"]),
            "client": random.choice(["valmont", "boreale"]),
            "impact": "low",
            "urgency": "medium",
            "priority": random.choice(["p1", "p2", "p3", "p4"]),
            "team": random.choice(["desk", "network", "studies"]),
            "reporter": f"user-{random.randrange(500)}",
            "details": "It does not print, and it smells of burning.",
            "reported_at": at - timedelta(minutes=random.randrange(30)),
        },
    )


def _event(ref: str, at: datetime, kind: str, fields: dict[str, Any]) -> IncidentEvent:
    whole = {
        "type": kind,
        "at": at,
        "by": "person:paul",
        "whose": "person:paul",
        "incident": ref,
        "policy": 1,
        **fields,
    }
    return EVENT_TYPES[kind].model_validate(whole)  # type: ignore[return-value] # by kind
