"""What the day comes to: the table at its end, each figure asserted."""

from rich.table import Table

from services.demo.seeing import same, see
from services.demo.stage import Json, Stage
from services.demo.times import MONDAY, TUESDAY

BALANCE = {
    "open_before": 2,
    "recorded": 10,
    "reopened_after_closure": 1,
    "closed": 3,
    "cancelled": 1,
    "merged": 1,
    "open_at_end": 8,
}


async def table(stage: Stage) -> Table:
    """Return the table of Monday. Raises `Unseen` where a figure is wrong."""
    told = await stage.reads(
        "/v1/metrics",
        **{"from": MONDAY.isoformat(), "to": TUESDAY.isoformat()},
        zone="Europe/Paris",
        within=["1h", "8h"],
    )
    period: Json = told["periods"][0] if "periods" in told else told
    balance: Json = period["balance"]
    for name, wanted in BALANCE.items():
        same(f"Monday: {name}", balance[name], wanted)
    see("the balance is true", _adds_up(balance), balance)
    shown = Table(title="Monday 30 June 2025, Europe/Paris")
    shown.add_column("figure")
    shown.add_column("value", justify="right")
    for name in BALANCE:
        shown.add_row(name.replace("_", " "), str(balance[name]))
    return shown


def _adds_up(balance: Json) -> bool:
    comes = ("open_before", "recorded", "split", "unmerged", "reopened_after_closure")
    goes = ("closed", "cancelled", "merged")
    came = sum(balance[name] for name in comes)
    went = sum(balance[name] for name in goes)
    return bool(came - went == balance["open_at_end"])
