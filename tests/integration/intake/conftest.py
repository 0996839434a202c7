"""A desk without processes: a fresh database, a policy, and intake's own hands."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from services.intake.commands.store import CommandDesk
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Policies, Signature
from services.intake.records.store import RecordCache
from services.intake.signals.store import Receiver
from shared.eventlog.log import EventLog
from shared.security.access import create
from tests.integration.intake.endpoints import Doors
from tests.integration.intake.signals.mapped_desk import (
    MASTER,
    NOW,
    POLICY,
    MappedDesk,
    mapped_desk,
)
from tests.support.patience import SECONDS
from tests.support.servers.servers import Database

__all__ = ["MASTER", "NOW", "POLICY"]


@pytest.fixture(autouse=True)
def _patient_with_other_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a mail server or a directory answer late, on a machine that is busy."""
    monkeypatch.setattr("services.intake.mailboxes.session.CONNECT_SECONDS", SECONDS)
    tokens = "services.intake.mailboxes.access_tokens.SECONDS_MAX"
    monkeypatch.setattr(tokens, float(SECONDS))
    for limit in ("CONNECT_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(f"services.intake.ldap.session.{limit}", SECONDS)


@dataclass(frozen=True)
class Hands:
    """What one intake worker works with, on a clock that a test sets."""

    log: EventLog
    receiver: Receiver
    commands: CommandDesk


_OPENED: list[EventLog] = []


def hands_on(database: Database, pool_size: int = 4) -> Hands:
    """Return the hands of one more worker on `ruled`, at the instant `NOW`.

    What it works with is closed after the test, also one that fails.
    """
    log = EventLog.open(
        database.dsn("desk_intake"),
        master=MASTER,
        clock=lambda: NOW,
        pool_size=pool_size,
    )
    _OPENED.append(log)
    cache, policies = RecordCache(log), Policies(log)
    receiver = Receiver(log, cache, policies, lambda: NOW)
    return Hands(log, receiver, CommandDesk(log, cache, policies, lambda: NOW))


@pytest.fixture
def ruled(database: Database) -> Iterator[Database]:
    """Give a database whose log begins with the starter policy."""
    log = EventLog.open(database.owner_dsn)
    applied = policy_store.apply(
        log,
        POLICY.read_text(encoding="utf-8"),
        Signature(by="root", reason="a desk for a test"),
        NOW,
        "test",
    )
    assert isinstance(applied, Applied), applied
    log.close()
    yield database
    while _OPENED:
        _OPENED.pop().close()


@pytest.fixture
def hands(ruled: Database) -> Hands:
    """Give the hands of one worker."""
    return hands_on(ruled)


@pytest.fixture
def owner(ruled: Database) -> Iterator[EventLog]:
    """Give the log with the rights of its owner, who may write any stream."""
    log = EventLog.open(ruled.owner_dsn, master=MASTER, clock=lambda: NOW)
    yield log
    log.close()


@pytest.fixture
def doors(ruled: Database) -> Iterator[Doors]:
    """Give the doors of a desk with the starter policy."""
    owner = EventLog.open(ruled.owner_dsn)
    with owner.transaction() as cursor:
        key = create(cursor, NOW, "source:demo", ["source"]).token
    owner.close()
    log = EventLog.open(ruled.dsn("desk_intake"), master=MASTER, clock=lambda: NOW)
    with ThreadPoolExecutor(4) as executor:
        yield Doors(log, executor, key, lambda: NOW)
    log.close()


@pytest.fixture
def desk(ruled: Database) -> Iterator[MappedDesk]:
    """Give a desk whose source `demo` has a mapping with a gap."""
    with mapped_desk(ruled) as made:
        yield made
