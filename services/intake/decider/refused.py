"""The answer no, as a sentence that says what to do instead."""

from typing import Literal

Code = Literal[
    "unknown_incident",  # there is no such incident
    "unknown_problem",
    "unknown_change",
    "unknown_target",  # the other record named does not exist
    "state",  # not in this state of the incident
    "firing",  # a signal of it says that it is not over
    "window",  # too late to reopen
    "role",  # not this person
    "invalid",  # something named or left out does not fit
]


class Refused(Exception):
    """The command is understood and the answer is no."""

    def __init__(self, reason: str, code: Code) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code: Code = code
