"""Who may be given an incident: people of the directory, and those with rights."""

from datetime import timedelta

import pytest

from services.intake.directory.store import import_people, strangers
from shared.eventlog.log import EventLog
from shared.security.access import create
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.servers

_GRANT = """
INSERT INTO access.grants (grant_id, person, role, given_by, given_at, until)
VALUES (%s, %s, 'agent', 'person:root', %s, %s)
"""
_REMOVED = "INSERT INTO access.removed_people VALUES (%s, %s, 'person:root', NULL)"


def test_the_directory_a_token_and_a_grant_in_force_make_somebody_known(
    owner: EventLog,
) -> None:
    with owner.transaction() as cursor:
        create(cursor, NOW, "person:with-token", ["agent"])
        names = [{"id": each, "name": each} for each in ("listed", "left")]
        import_people(cursor, names, NOW)
        hour = timedelta(hours=1)
        for grant, person, until in (
            ("g1", "with-grant", None),
            ("g2", "grant-over", NOW - hour),
            ("g3", "grant-runs", NOW + hour),
        ):
            cursor.execute(_GRANT, (grant, person, NOW - 2 * hour, until))
        cursor.execute(_REMOVED, ("left", NOW))
        everybody = {
            *("listed", "left", "with-token", "with-grant"),
            *("grant-over", "grant-runs", "Zorro"),
        }

        unknown = strangers(cursor, everybody, NOW)

    assert unknown == {"left", "grant-over", "Zorro"}
