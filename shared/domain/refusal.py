"""The refusal of a command that is valid but not allowed now, or not for this caller.

A refusal is a sentence that says what to do instead, with a code for programs.
"""

from collections.abc import Collection
from heapq import nsmallest
from typing import Literal

_SHOWN_MAX = 12

Code = Literal[
    "unknown_incident",  # the record that the command is about does not exist
    "unknown_problem",
    "unknown_change",
    "unknown_record",
    "unknown_handover",
    "unknown_extension",
    "unknown_promise",
    "unknown_move",
    "unknown_attachment",
    "unknown_person",
    "unknown_grant",
    "unknown_intervention",
    "unknown_schedule",
    "unknown_on_call_change",  # an override, a swap, an absence
    "unknown_method",
    "unknown_survey",
    "unknown_client",
    "unknown_action",  # something to do after a survey or a review
    "unknown_review",
    "unknown_section",  # of a review
    "unknown_target",  # the other record does not exist
    "unknown_assignee",  # the desk knows nobody of this name
    "state",  # not allowed in this status
    "firing",  # one of its alerts still fires
    "window",  # too late to reopen
    "too_many_missing",  # a file without so many people may be cut off
    "not_as_previewed",  # something changed since the preview
    "address_taken",  # somebody else has this e-mail address
    "other_address",  # the person has another e-mail address
    "caller_known",  # the directory has somebody with this e-mail address
    "wrong_code",  # not the code that was sent, or too old
    "too_many_codes",  # sent within an hour
    "too_many_tests",  # of a person's pages within an hour
    "outside_hours",  # not the working hours of that person
    "role",  # not allowed for this person
    "invalid",  # a given or missing value does not fit
]


class Refused(Exception):
    """The command is valid but not allowed; `field` names the value that is wrong."""

    def __init__(self, reason: str, code: Code, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code: Code = code
        self.field = field


def require_in_policy(kind: str, name: str, names: Collection[str]) -> str:
    """Return `name` if it is one of `names`; else raise `Refused`, listing some."""
    if name in names:
        return name
    shown = ", ".join(nsmallest(_SHOWN_MAX, names)) or "none"
    more = ", …" if len(names) > _SHOWN_MAX else ""
    raise Refused(
        f"the policy has no {kind} `{name}`: choose one of {shown}{more}", "invalid"
    )
