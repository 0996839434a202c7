"""What another system tells of a record, and what links it to incidents."""

from typing import Any

import pytest

from services.intake.external_records.rules import put
from services.intake.external_records.schemas import PutExternalRecord
from shared.domain.commands.incident import Link, Unlink
from shared.domain.events import ExternalRecordEvent
from shared.domain.events.external_record import (
    ExternalRecordLinked,
    ExternalRecordPut,
    ExternalRecordUnlinked,
)
from shared.domain.events.incident_ties import IncidentLinked, IncidentUnlinked
from shared.domain.external_record import ExternalRecord, replay
from shared.domain.incident import Incident
from shared.domain.incident import replay as incident_of
from shared.domain.refusal import Refused
from tests.unit.intake.commands.scenario import INC, LATER, event, opened
from tests.unit.intake.records.builders import desk

WEB = "configuration_item/web-01"
CMDB = "source:cmdb"
TOLD = {
    "name": "Web 1",
    "url": "https://cmdb.example/web-01",
    "state": "live",
    "attributes": {"site": "Valence"},
}
link = Link(relation="record", target=WEB)
here = event(IncidentLinked, relation="record", target=WEB)


def told(**changes: Any) -> ExternalRecordPut:
    fields = {"at": LATER, "by": CMDB, "whose": CMDB, "record": WEB, **TOLD, **changes}
    return ExternalRecordPut(**fields)


def there(kind: type[Any] = ExternalRecordLinked) -> Any:
    return event(kind, record=WEB)


def known(*history: ExternalRecordEvent) -> ExternalRecord:
    found = replay((told(), *history))
    assert found is not None
    return found


def put_by(by: str, record: ExternalRecord | None, **changes: Any) -> Any:
    return put(PutExternalRecord(**{**TOLD, **changes}), WEB, record, LATER, by)


def test_a_record_is_new_or_has_changed() -> None:
    assert put_by(CMDB, None) == told()
    assert put_by(CMDB, known(), state="retired") == told(state="retired")
    assert put_by(CMDB, known(), attributes={}) == told(attributes={})


def test_what_was_told_before_is_not_recorded_again() -> None:
    assert put_by(CMDB, known(there())) is None


def test_a_source_does_not_overwrite_what_another_one_keeps() -> None:
    with pytest.raises(Refused, match="kept by another source"):
        put_by("source:deployments", known(), state="retired")
    assert put_by("person:sylvie", known(), state="retired") is not None


def test_a_record_stays_with_its_source_although_a_person_corrected_it() -> None:
    corrected = put_by("person:sylvie", known(), state="retired")

    assert corrected.kept_by == CMDB
    for history in ((told(), corrected), (corrected,)):
        held = replay(history)
        assert held is not None
        with pytest.raises(Refused, match="kept by another source"):
            put_by("source:deployments", held, state="live")
        assert put_by(CMDB, held, state="live") == told(state="live")


def test_a_change_of_the_record_keeps_its_links() -> None:
    changed = known(there(), told(state="retired"))

    assert (changed.state, changed.incidents) == ("retired", (INC,))


def incident(*later: Any) -> Incident:
    found = incident_of((opened(), *later))
    assert found is not None
    return found


def test_a_link_is_recorded_on_both_sides_and_once() -> None:
    assert desk(incident(), known()).wishes(INC, link) == [here, there()]
    assert desk(incident(here), known(there())).wishes(INC, link) == []


def test_a_missing_side_of_a_link_is_added() -> None:
    assert desk(incident(here), known()).wishes(INC, link) == [there()]


def test_unlinking_takes_both_sides_away() -> None:
    unlink = Unlink(relation="record", target=WEB)

    assert desk(incident(here), known(there())).wishes(INC, unlink) == [
        event(IncidentUnlinked, relation="record", target=WEB),
        there(ExternalRecordUnlinked),
    ]


@pytest.mark.parametrize(
    ("relation", "target", "why", "code"),
    [
        ("record", WEB, f"there is no record {WEB}", "unknown_target"),
        ("problem", WEB, "link it as record", "invalid"),
        ("record", "PRB-000001", "is a problem, not to be linked as record", "invalid"),
        ("record", "INC-000007", "is an incident, not a record", "invalid"),
    ],
)
def test_a_link_that_makes_no_sense_is_refused(
    relation: Any, target: str, why: str, code: str
) -> None:
    desk(incident()).refuses(INC, Link(relation=relation, target=target), why, code)
