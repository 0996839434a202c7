"""What mail is composed from: the log and the policy, as they are when it is sent."""

from dataclasses import dataclass
from datetime import datetime

from shared.database.cursors import Cursors
from shared.domain.policy.document import Policy
from shared.eventlog.log import EventLog


@dataclass(frozen=True)
class MailContext:
    """`url` is where people open the desk, or empty; `language` is the reader's."""

    log: EventLog
    cursor: Cursors
    policy: Policy
    now: datetime
    language: str
    url: str

    def at(self, path: str) -> str:
        """Return the address of a page of the desk, or "" without one."""
        return self.url + path if self.url else ""
