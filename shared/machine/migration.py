"""Migrates the database of a desk on this machine, and says what is wrong with it."""

from collections.abc import Mapping
from pathlib import Path

import psycopg

from shared.clock import lever_clock
from shared.database.clock_mode import ClockMode, LeverRefused, clock_mode
from shared.database.migrate import Mismatch, migrate
from shared.machine.trouble import Exit, Trouble


def migrate_desk(
    owner: str, roles: Mapping[str, str], clock: ClockMode | None = None
) -> None:
    """Bring the database up to date; an empty log gets the mode `clock`.

    Raises `Trouble` if that is not possible.
    """
    try:
        migrate(owner, roles, clock=clock)
    except Mismatch as reason:
        raise Trouble(f"{reason}.", Exit.MIGRATION) from reason
    except psycopg.Error as reason:
        said = str(reason).strip().splitlines()[0]
        raise Trouble(
            f"The database cannot be migrated: {said}. DATABASE_URL, where it is set, "
            "must name a database that runs and a user who may create roles.",
            Exit.MIGRATION,
        ) from reason


def demand_lever(owner: str, lever: Path) -> None:
    """Raise `Trouble` if the log does not go by a lever, or `lever` shows no time."""
    with psycopg.connect(owner) as connection:
        mode = clock_mode(connection.cursor())
    if mode != "lever":
        raise Trouble(f"{LeverRefused()}.", Exit.USAGE)
    try:
        lever_clock(lever)()
    except (OSError, ValueError, LookupError, TypeError) as reason:
        raise Trouble(
            f"PERMANENCE_CLOCK_LEVER={lever} shows no time: write the file first, for "
            'example {"real": 0, "shown": 1751266800, "speed": 0}.',
            Exit.USAGE,
        ) from reason
