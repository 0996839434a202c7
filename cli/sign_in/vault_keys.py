"""The log with the vault's master key, which seals links and codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.shell.desk import DeskAddress
from cli.shell.output import Exit, refused
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.security.seals import NoVault


@contextmanager
def sealing(
    desk: DeskAddress, vault_key: Path | None
) -> Iterator[tuple[EventLog, Clock]]:
    """Open the log of a desk to seal in it, or exit with a message."""
    desk.url()
    master = desk.master(vault_key)
    if master is None:
        sentence = "the vault's master key is needed: write --vault-key FILE"
        raise refused(sentence, Exit.INVALID)
    with desk.log_and_clock(master) as (log, clock):
        try:
            yield log, clock
        except NoVault as error:
            raise refused(str(error), Exit.INVALID) from error
