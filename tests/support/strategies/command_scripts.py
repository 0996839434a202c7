"""Any script of what people and monitors may do to a few incidents, in any order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from services.intake.records.signal import Signal, signal_key
from shared.domain.commands.incident import (
    Acknowledge,
    Assign,
    Attach,
    Cancel,
    Classify,
    Close,
    IncidentCommand,
    Inform,
    Link,
    Merge,
    Open,
    Pause,
    Redirect,
    Relapse,
    Reopen,
    Resolve,
    Restore,
    Resume,
    Return,
    Split,
    Unlink,
    Unmerge,
)
from shared.domain.identifiers import incident_ref
from tests.support.desks.pure import Command, PureDesk

NINE = datetime(2025, 6, 30, 7, tzinfo=UTC)
KEYS = ("k1", "k2", "k3")


@dataclass(frozen=True)
class Heard:
    """A signal and when it is received."""

    signal: Signal
    at: datetime


Step = Command | Heard


def play(script: list[Step], *, times: int = 1) -> PureDesk:
    """Return the desk after a script, each command of a person given so many times."""
    desk = PureDesk()
    for step in script:
        match step:
            case Heard(signal, at):
                desk.hear(signal, at)
            case command:
                for _ in range(times):
                    desk.take(command)
    return desk


def _some(kind: Callable[..., Any], **fields: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, **fields)


_OPENED = st.integers(1, 3).map(incident_ref)
_PEOPLE = st.sampled_from(["lefevre", "costa"])
_LEVELS = st.none() | st.sampled_from(["high", "medium", "low"])
_PRIORITIES = st.none() | st.sampled_from(["p1", "p4"])
_NOTES = st.none() | st.just("because")
_RELATIONS = st.sampled_from(["related", "caused_by", "causes", "problem", "change"])
_SIGNAL_KEYS = st.lists(
    st.sampled_from([signal_key("prom", key) for key in KEYS]), unique=True
).map(tuple)

_OPENINGS: st.SearchStrategy[IncidentCommand] = st.one_of(
    _some(
        Open,
        title=st.just("x"),
        service=st.none() | st.just("billetterie"),
        priority=_PRIORITIES,
        reason=_NOTES,
        reporter=st.just("lefevre"),
        channel=st.sampled_from(["phone", "email"]),
    ),
    _some(Open, title=st.just("x")),
)
_ALONE: st.SearchStrategy[IncidentCommand] = st.one_of(
    _OPENINGS,
    _some(
        Attach,
        person=_PEOPLE,
        channel=st.just("phone"),
        direction=st.sampled_from(["inbound", "outbound"]),
    ),
    _some(
        Classify,
        impact=_LEVELS,
        urgency=_LEVELS,
        priority=_PRIORITIES,
        category=st.none() | st.just("billet"),
        reason=_NOTES,
    ),
    _some(
        Assign,
        team=st.none() | st.sampled_from(["accueil", "exploitation", "editeur"]),
        assignee=st.none() | _PEOPLE,
        reason=_NOTES,
    ),
    _some(Return, reason=st.just("because")),
    st.just(Acknowledge()),
    _some(Pause, reason=st.just("user"), question=st.sampled_from(["which?", "when?"])),
    _some(Pause, reason=st.just("vendor")),
    st.just(Resume()),
    _some(Inform, message=st.sampled_from(["soon", "sorry"])),
    _some(Restore, workaround=st.booleans()),
    st.just(Relapse()),
    _some(Resolve, note=_NOTES),
    _some(Resolve, note=_NOTES, force=st.just(True), reason=st.just("unplugged")),
    _some(Reopen, reason=_NOTES),
    st.just(Close()),
    st.just(Close()),
    _some(Cancel, reason=st.just("duplicate")),
    _some(Redirect, to=st.just("rh"), message=st.just("Vu par la RH")),
    _some(
        Split,
        title=st.just("half"),
        signal_keys=_SIGNAL_KEYS,
        reporter=st.none() | _PEOPLE,
    ),
)


@cache
def _with_another(refs: tuple[str, ...]) -> st.SearchStrategy[IncidentCommand]:
    another = st.sampled_from(refs)
    return st.one_of(
        _some(Link, relation=_RELATIONS, target=another | st.just("PRB-1")),
        _some(Unlink, relation=_RELATIONS, target=another | st.just("PRB-1")),
        _some(Merge, into=another),
        st.just(Unmerge()),
    )


signals = st.builds(
    Signal,
    source=st.just("prom"),
    dedup_key=st.sampled_from(KEYS),
    action=st.sampled_from(["trigger", "trigger", "resolve", "acknowledge"]),
    title=st.just("down"),
    severity=st.none() | st.sampled_from(["critical", "warning"]),
    service=st.none() | st.just("horaires"),
)


@st.composite
def scripts(draw: st.DrawFn, size: int = 30) -> list[Step]:
    """Draw a script whose instants never go back; splits bring references of theirs."""
    at = NINE
    steps: list[Step] = []
    desk = PureDesk()  # so that most commands are about incidents that are there
    for n in range(draw(st.integers(1, size))):
        at += timedelta(seconds=draw(st.sampled_from([0, 1, 1, 1, 70, 72_000])))
        known = tuple(desk.incidents)
        if draw(st.integers(0, 3)) == 0:
            heard = Heard(draw(signals), at)
            desk.hear(heard.signal, at)
            steps.append(heard)
        else:
            command = _command(draw, at, known, incident_ref(500 + n))
            desk.take(command)
            steps.append(command)
    return steps


def _command(
    draw: st.DrawFn, at: datetime, known: tuple[str, ...], new: str
) -> Command:
    by = draw(st.sampled_from(["person:odette", "person:wim", "system:intake"]))
    roles = draw(st.sampled_from([("agent",), ("direction",)]))
    if not known:
        return Command(draw(_OPENED), at, by, draw(_OPENINGS), roles)
    strategy = _with_another(known) if draw(st.integers(0, 2)) == 0 else _ALONE
    wish = draw(strategy)
    ref = draw(_OPENED if isinstance(wish, Open) else st.sampled_from(known))
    return Command(ref, at, by, wish, roles, new)
