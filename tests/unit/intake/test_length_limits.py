"""The longest words anybody may send still fit the log."""

from collections.abc import Sequence

import pytest

from services.intake.records.rules.duplicates import REPORTERS_MAX, SIGNALS_MAX
from services.intake.records.signal import Signal
from services.intake.signals.formats import ADAPTERS
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from shared.domain.commands.incident import (
    Attach,
    Classify,
    IncidentCommand,
    Inform,
    Open,
    Pause,
    Resolve,
)
from shared.domain.events import IncidentEvent
from shared.domain.events.incident_ties import IncidentAbsorbed
from shared.eventlog.append import EVENT_BYTES_MAX
from shared.eventlog.codec import encode
from shared.vault.vault import Vault
from tests.support.desks.pure import PureDesk
from tests.support.key_ring import MASTER, KeyRing
from tests.unit.intake.commands.scenario import NINE, event, given, reported

WIDE = "😀"
TITLE, REASON, WORDS = WIDE * 1_024, WIDE * 1_000, WIDE * 7_500
QUOTES = '"' * 10_000


def largest(events: Sequence[IncidentEvent]) -> int:
    vault = Vault(KeyRing(), MASTER)
    return max(len(encode(vault, "incident-INC-000042", 1, e)) for e in events)


@pytest.mark.parametrize("words", [WORDS, QUOTES], ids=["wide", "quotes"])
@pytest.mark.parametrize(
    "wish",
    [
        Open(title=TITLE, priority="p1", reason=REASON, backdated_because=REASON),
        Open(title=TITLE, reporter="lefevre", channel="phone"),
        Classify(priority="p1", reason=REASON),
        Attach(person="lefevre", channel="chat"),
        Pause(reason="user", question="?"),
        Inform(message="!"),
        Resolve(),
    ],
    ids=lambda wish: wish.verb,
)
def test_what_a_person_writes_fits(wish: IncidentCommand, words: str) -> None:
    free = {"description", "words", "question", "message", "note"}
    long = wish.model_copy(
        update=dict.fromkeys(free & set(type(wish).model_fields), words)
    )
    past = () if isinstance(wish, Open) else (reported(),)

    events = given(*past).when(long, roles=("direction",)).events()

    assert 0 < largest(events) <= EVENT_BYTES_MAX


@pytest.mark.parametrize("char", [WIDE, "\x01"], ids=["wide", "control"])
def test_what_alertmanager_sends_fits(char: str) -> None:
    alert = {
        "status": "firing",
        "labels": {f"{char}{n}": char * 2_000 for n in range(100)},
        "annotations": {"summary": char * 9_000, "description": char * 9_000},
        "fingerprint": WIDE * 512,
    }
    (signal,) = ADAPTERS["alertmanager"](
        {"alerts": [alert]}, InboundDocument("prom", NINE)
    )
    assert isinstance(signal, Signal), signal

    heard = PureDesk().hear(signal, NINE)

    assert 0 < largest(heard.events) <= EVENT_BYTES_MAX


def test_what_is_merged_fits() -> None:
    absorbed = event(
        IncidentAbsorbed,
        merged="INC-000043",
        signals={f"{n:064}": "recovered" for n in range(SIGNALS_MAX)},
        reporters=tuple(f"{n:0128}" for n in range(REPORTERS_MAX)),
    )

    assert 0 < largest([absorbed]) <= EVENT_BYTES_MAX
