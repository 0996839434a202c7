"""What the person at the keyboard must put right: one sentence and an exit code."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `permanence up`, `down` and `doctor`."""

    DONE = 0
    FAILED = 1  # doctor found something; a server or service would not come up
    USAGE = 2  # a wrong command line or environment variable
    PORT_TAKEN = 3
    ALREADY_RUNNING = 4
    FOLDER = 5  # not writable, or not reachable for the account the servers run as
    DISK_FULL = 6
    INSTALLATION = 7  # wrong Python, missing binaries
    CREDENTIALS = 8  # unreadable, or they do not open the data that is there
    MIGRATION = 9  # the database is away, or was made by another version


class StartupError(Exception):
    """A sentence that says what is wrong and what to do, and how to exit."""

    def __init__(self, sentence: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(sentence)
        self.code = code
