"""A case is stored in clear: no text of an incident may be among its fields."""

from dataclasses import fields

import pytest

from services.escalation.rules.case import Case as EscalationCase
from services.sla_watcher.clocks.case import Case as WatcherCase
from shared.domain.events import EVENT_TYPES
from shared.domain.incident.case import IncidentCase
from shared.eventlog.codec import personal_fields

PERSONAL = {name for kind in EVENT_TYPES.values() for name in personal_fields(kind)}


@pytest.mark.parametrize("case", [WatcherCase, EscalationCase])
def test_no_text_of_a_case_is_one_that_events_seal(case: type[IncidentCase]) -> None:
    texts = {field.name for field in fields(case) if "str" in str(field.type)}

    assert "title" in PERSONAL
    assert "service" in texts
    assert not PERSONAL & texts
