"""The limits of connections and transactions for tests: what a busy machine may need.

There two seconds may pass between two statements, or until there is a connection, and
more than four until many events are appended. Services that are processes of their own
keep their limits, and a thread that stalls is ended later.
"""

from shared.database import connections, leadership
from shared.eventlog import recorder
from shared.messaging import connection

PATIENT = (
    (connections, "CONNECT_SECONDS", 20),
    (connections, "IDLE_IN_TRANSACTION_SECONDS", 30),
    (connections, "LOCK_TIMEOUT_SECONDS", 30),
    (recorder, "HOLD_SECONDS", 20),
    (leadership, "CONNECT_SECONDS", 20),
    (leadership, "STATEMENT_SECONDS", 20),
    (connection, "NATS_SESSION_CONNECT_SECONDS", 20),
    (connection, "GIVE_UP_SECONDS", 60.0),
)


def be_patient() -> None:
    """Have these limits from now on: for a program that a test runs."""
    for module, name, seconds in PATIENT:
        setattr(module, name, seconds)
