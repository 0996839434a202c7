"""June before the day: ten incidents closed, two carried over."""

from datetime import date
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from demo.beats.messages import fires, recovers
from demo.beats.surveys import answers_by_link, may
from demo.cast import same
from demo.stage import Stage


def _june(day: int) -> date:
    return date(2025, 6, day)


class _Call(NamedTuple):
    """A user's incident, solved by Nadia: reported, solved and closed on one day."""

    name: str
    day: int
    hours: tuple[str, str, str]
    person: str
    service: str
    title: str
    choice: int | None = None
    """What the user answers to the survey; None: nothing."""


_MAIL, _PORTAL = "messagerie", "portail"
CALLS = (
    _Call(
        "INC-1", 2, ("09:00", "09:20", "09:25"), "petit", _MAIL, "Boîte invisible", 5
    ),
    _Call("INC-4", 10, ("10:00", "10:15", "10:20"), "fabre", _PORTAL, "Formulaire", 4),
    _Call(
        "INC-7", 16, ("14:00", "14:30", "14:35"), "leroy", _MAIL, "Pièces jointes", 3
    ),
    _Call("INC-8", 18, ("09:30", "09:45", "09:50"), "roche", _PORTAL, "Mot de passe"),
    _Call("INC-9", 23, ("11:00", "11:15", "11:20"), "petit", "vpn", "Jeton expiré"),
    _Call("INC-10", 27, ("08:30", "10:30", "11:00"), "dubois", _MAIL, "Courrier lent"),
)
FLAPS = (("INC-2", 3), ("INC-5", 11))
LATE = (("INC-3", 5, "garnier"), ("INC-6", 12, "ndiaye"))
RECORDED = 12


async def _solved(stage: Stage, call: _Call) -> None:
    """Play one incident from its call to its end."""
    called, solved, closed = call.hours
    await stage.clock(called, _june(call.day))
    answer = await stage.contact(
        call.person,
        "phone",
        "nadia",
        title=call.title,
        words=f"{call.title} !",
        service=call.service,
    )
    stage.name(call.name, answer["incident"])
    await stage.clock(solved, _june(call.day))
    await stage.does("nadia", call.name, "resolve", note="Réglé.")
    await stage.clock(closed, _june(call.day))
    await stage.does("nadia", call.name, "close")
    if call.choice is not None:
        await answers_by_link(stage, call.person, call.name, call.choice)


async def _flap(stage: Stage, name: str, day: int) -> None:
    """Play a fault of `vpn` that only its monitoring system noticed."""
    await stage.clock("11:00", _june(day))
    stage.name(name, await fires(stage, "vpn", key=f"vpn-{day}"))
    await stage.clock("11:20", _june(day))
    await recovers(stage, "vpn", key=f"vpn-{day}")
    await stage.clock("11:30", _june(day))
    same(
        f"{name} is resolved by recovery",
        (await stage.incident(name))["status"],
        "resolved",
    )


async def _late(stage: Stage, name: str, day: int, person: str) -> None:
    """Play a payroll incident that breaks its TTR; Problem Management declines it."""
    await stage.clock("09:00", _june(day))
    answer = await stage.contact(
        person, "phone", "paul", title="Bulletins en retard", service="paie"
    )
    stage.name(name, answer["incident"])
    await stage.clock("15:01", _june(day))
    same(
        f"{name} broke its TTR", (await stage.promise(name, "ttr"))["state"], "breached"
    )
    ref = stage.ref(name)
    await stage.posts(
        "helene", f"/v1/handovers/{ref}/decline", {"reason": "panne de l'imprimeur"}
    )
    await stage.clock("17:00", _june(day))
    await stage.does("paul", name, "resolve", note="Bulletins partis.")
    await stage.clock("17:10", _june(day))
    await stage.does("paul", name, "close")


async def june(stage: Stage) -> None:
    """Play 2 to 27 June."""
    await may(stage)
    scenes = [
        *((call.day, partial(_solved, stage, call)) for call in CALLS),
        *((day, partial(_flap, stage, name, day)) for name, day in FLAPS),
        *(
            (day, partial(_late, stage, name, day, person))
            for name, day, person in LATE
        ),
    ]
    for _, scene in sorted(scenes, key=itemgetter(0)):
        await scene()
    await _carried_over(stage)
    same("incidents recorded in June", len(set(stage.refs.values())), RECORDED)


async def _carried_over(stage: Stage) -> None:
    """Friday afternoon: one incident resolved and not closed, one not resolved."""
    await stage.clock("13:00", _june(27))
    answer = await stage.contact(
        "blanc", "phone", "paul", title="Agenda décalé d'une heure", service=_MAIL
    )
    stage.name("INC-12", answer["incident"])
    await stage.clock("14:30", _june(27))
    answer = await stage.contact(
        "simon", "phone", "nadia", title="Boîte archivée illisible", service=_MAIL
    )
    stage.name("INC-11", answer["incident"])
    await stage.clock("15:00", _june(27))
    await stage.does("paul", "INC-12", "resolve", note="Fuseau corrigé.")
    await stage.clock("18:00", _june(27))
    page = await stage.reads("/v1/queues/all/incidents", limit=100)
    held = sorted(item["ref"] for item in page["items"])
    carried = sorted(map(stage.ref, ("INC-11", "INC-12")))
    same("only INC-11 and INC-12 are carried over", held, carried)
