"""An error that the operator has to fix: one sentence and an exit code."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `permanence up`, `down` and `doctor`."""

    DONE = 0
    FAILED = 1  # doctor found something; a server or service did not start
    USAGE = 2  # a wrong command line or environment variable
    PORT_TAKEN = 3
    ALREADY_RUNNING = 4
    FOLDER = 5  # not writable, or not reachable for the account the servers run as
    DISK_FULL = 6
    INSTALLATION = 7  # wrong Python, missing binaries
    CREDENTIALS = 8  # unreadable, or they do not open the existing data
    MIGRATION = 9  # the database is unavailable, or was made by another version


class StartupError(Exception):
    """A message that says what is wrong and what to do, with an exit code."""

    def __init__(self, sentence: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(sentence)
        self.code = code
