"""What the desk of Valmont starts with: its policy, its people, their tokens."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.demo.cast import PEOPLE, SOURCES, STAFF
from services.intake.directory.store import import_people
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from shared.eventlog.log import EventLog
from shared.security.access import create
from standalone.startup_error import Exit, StartupError

POLICY = Path(__file__).parents[2] / "deploy" / "valmont.yaml"


@dataclass(frozen=True)
class Tokens:
    """Bearer tokens by person, keys by source."""

    people: dict[str, str]
    sources: dict[str, str]


def fill(log: EventLog, now: datetime) -> Tokens:
    """Fill an empty log. Trouble: it is not empty, and so not this demo's."""
    if log.head().position:
        raise StartupError(
            "The database named by DATABASE_URL holds a log already, and a log cannot "
            "be cleaned: give the demo an empty database, or leave DATABASE_URL out.",
            Exit.MIGRATION,
        )
    text = POLICY.read_text(encoding="utf-8")
    signature = Signature(by="sylvie", reason="the desk opens", approved_by="sylvie")
    applied = policy_store.apply(log, text, signature, now, "demo")
    if not isinstance(applied, Applied):
        raise StartupError(
            f"{POLICY} cannot be applied: {applied[0]}", Exit.INSTALLATION
        )
    with log.transaction() as cursor:
        import_people(cursor, PEOPLE, now)
        people = {
            who: create(cursor, now, f"person:{who}", scopes, label="demo").token
            for who, scopes in STAFF.items()
        }
        sources = {
            name: create(cursor, now, f"source:{name}", ("source",), label="demo").token
            for name in SOURCES
        }
    return Tokens(people, sources)
