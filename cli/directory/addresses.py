"""Imports people without the services, and compares their addresses with the log."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cli.shell.desk import DeskAddress
from cli.shell.output import Exit, refused
from services.intake.directory.address_audit import (
    AddressesCompared,
    compare_addresses,
    record_found,
)
from services.intake.directory.address_facts import Author, import_recorded
from services.intake.directory.file import Rows
from services.intake.directory.store import Imported, counted, directory_changes
from shared.clock import Clock
from shared.domain.events.event import Actor
from shared.eventlog.log import EventLog
from shared.http.problem_details import HttpError
from shared.vault.vault import NoMasterKey, VaultError

_ACTOR: Actor = "system:command-line"


def import_rows(
    desk: DeskAddress, rows: Rows, vault_key: Path | None, *, preview: bool
) -> dict[str, Any]:
    """Write people and record the addresses that this changes, or exit.

    Returns how many were added and changed; a preview writes nothing.
    """
    desk.url()
    with desk.log_and_clock(desk.master(vault_key)) as (log, clock):
        if preview:
            with log.transaction() as cursor:
                return asdict(counted(directory_changes(cursor, rows, clock())))
        return asdict(_imported(log, rows, clock))


def compare_or_record(
    desk: DeskAddress, vault_key: Path | None, *, record: bool
) -> AddressesCompared | int:
    """Return what differs from the log; or how many addresses were recorded."""
    desk.url()
    master = desk.master(vault_key)
    if master is None:
        sentence = "fingerprints take the master key: name it with --vault-key"
        raise refused(sentence, Exit.INVALID)
    with desk.log_and_clock(master) as (log, clock):
        try:
            log.vault.prove_master()
            if record:
                return record_found(log, Author(_ACTOR, clock()))
            return compare_addresses(log)
        except VaultError as error:
            raise refused(str(error), Exit.INVALID) from error
        except HttpError as error:
            raise refused(str(error), Exit.UNREACHABLE) from error


def _imported(log: EventLog, rows: Sequence[Any], clock: Clock) -> Imported:
    author = Author(_ACTOR, clock())
    try:
        return import_recorded(log, rows, author)[0]
    except NoMasterKey as error:
        sentence = "the file changes addresses: name the master key with --vault-key"
        raise refused(sentence, Exit.INVALID) from error
    except VaultError as error:
        raise refused(str(error), Exit.INVALID) from error
    except HttpError as error:
        raise refused(str(error), Exit.UNREACHABLE) from error
