"""The doctor looks at the policy in force for what leaves a door open."""

from contextlib import closing

import pytest

from shared.eventlog.log import EventLog
from standalone.doctor import examine_policy
from tests.support.desks.mail import AUTHSERV_ID, apply_mailbox
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


def test_what_leaves_a_door_open_is_found(database: Database) -> None:
    assert list(examine_policy(database.owner_dsn)) == []
    with closing(EventLog.open(database.owner_dsn)) as log:
        apply_mailbox(log)
        sound, refused = examine_policy(database.owner_dsn)
        apply_mailbox(
            log,
            (f", authserv_id: {AUTHSERV_ID}", ""),
            ("nats_monitor: refused", "nats_monitor: accepted"),
        )
        unsound, accepted = examine_policy(database.owner_dsn)

    assert sound.ok
    assert not unsound.ok
    assert "authserv_id" in unsound.advice
    assert refused.ok
    assert not accepted.ok
    assert "nats_monitor: refused" in accepted.advice
    assert unsound.only_warns
    assert accepted.only_warns
