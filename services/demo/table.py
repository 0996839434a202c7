"""What the day comes to: the table at its end, each figure asserted."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from rich.table import Table

from services.demo.seeing import same, see
from services.demo.stage import Json, Stage
from services.demo.times import MONDAY, TUESDAY


class Figure(NamedTuple):
    """A number of the day: what it is, where it stands in the answer, what it must be.

    `wanted` is None for what is shown only.
    """

    name: str
    path: tuple[str | int, ...]
    wanted: int | None


TABLE: Sequence[Figure] = (
    Figure("answers to surveys (to come)", ("satisfaction", "n"), None),
    Figure("open before", ("balance", "open_before"), 2),
    Figure("recorded", ("balance", "recorded"), 10),
    Figure("reopened after closure", ("balance", "reopened_after_closure"), 1),
    Figure("closed", ("balance", "closed"), 3),
    Figure("cancelled", ("balance", "cancelled"), 1),
    Figure("merged", ("balance", "merged"), 1),
    Figure("open at the end", ("balance", "open_at_end"), 8),
    Figure("of which resolved, awaiting closure", ("balance", "awaiting_closure"), 2),
    Figure("reported by users only", ("reported", "user_only"), 8),
    Figure("by monitoring, then users", ("reported", "monitoring_then_user"), 1),
    Figure("by monitoring only", ("reported", "monitoring_only"), 1),
    Figure("resolved in the day", ("resolved_within", "standing"), 4),
    Figure(
        "within 1 h of working time", ("resolved_within", "within", 0, "working"), 2
    ),
    Figure(
        "within 8 h of working time", ("resolved_within", "within", 1, "working"), 3
    ),
    Figure("TTR met", ("sla", "ttr", "met"), None),
    Figure("TTR breached", ("sla", "ttr", "breached"), 2),
    Figure("of these, the users'", ("sla", "ttr", "breached_by", "user"), 1),
    Figure("vendors'", ("sla", "ttr", "breached_by", "vendor"), 0),
    Figure("ours", ("sla", "ttr", "breached_by", "provider"), 1),
    Figure("not attributed", ("sla", "ttr", "breached_by", "unattributed"), 0),
    Figure("problems from incidents", ("problems", "from_incidents"), 2),
    Figure("changes requested from incidents", ("changes", "requested"), 2),
    Figure("changes planned", ("changes", "planned"), 1),
)


async def table(stage: Stage) -> Table:
    """Return the table of Monday. Raises `Unseen` where a figure is wrong."""
    day = {"from": MONDAY.isoformat(), "to": TUESDAY.isoformat()}
    told = await stage.reads(
        "/v1/metrics", "sylvie", **day, zone="Europe/Paris", within=["1h", "8h"]
    )
    figures: Json = told["figures"]
    see("the balance is true", _adds_up(figures["balance"]), figures["balance"])
    shown = Table(title="Monday 30 June 2025, Europe/Paris")
    shown.add_column("figure")
    shown.add_column("value", justify="right")
    for figure in TABLE:
        value = _at(figures, figure.path)
        if figure.wanted is not None:
            same(f"Monday, {figure.name}", value, figure.wanted)
        shown.add_row(figure.name, str(value))
    await _june(stage)
    return shown


async def _june(stage: Stage) -> None:
    """Hold June to its own sum, and its days to the month."""
    june = {"from": "2025-06-01", "to": "2025-07-01"}
    told = await stage.reads(
        "/v1/metrics", "sylvie", **june, zone="Europe/Paris", every="day"
    )
    balance = told["figures"]["balance"]
    wanted = {"open_before": 0, "recorded": 22, "closed": 13, "open_at_end": 8}
    same("June", {name: balance[name] for name in wanted}, wanted)
    for name in ("recorded", "closed", "cancelled", "merged"):
        days = sum(day["figures"]["balance"][name] for day in told["periods"])
        same(f"the days of June add up: {name}", days, balance[name])


def _adds_up(balance: Json) -> bool:
    comes = ("open_before", "recorded", "split", "unmerged", "reopened_after_closure")
    goes = ("closed", "cancelled", "merged")
    came = sum(balance[name] for name in comes)
    went = sum(balance[name] for name in goes)
    return bool(came - went == balance["open_at_end"])


def _at(figures: Json, path: tuple[str | int, ...]) -> int:
    value: Any = figures
    for step in path:
        value = value[step]
    return int(value)
