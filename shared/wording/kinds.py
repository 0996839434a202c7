"""Under which name the templates of a notice stand."""

from typing import Literal, assert_never, get_args

from shared.wording.to_staff import (
    Handover,
    ManagerNotice,
    Page,
    Routed,
    ServiceHandover,
    StaffNotice,
    Suggestion,
    UpdateDue,
)
from shared.wording.to_users import (
    Agreed,
    Cancelled,
    Escalated,
    Extension,
    Merged,
    ProblemWorkaround,
    Question,
    Receipt,
    Reopened,
    Resolved,
    Restored,
    Returned,
    Taken,
    UnconfirmedReceipt,
    Update,
    UserNotice,
    Workaround,
)

Notice = UserNotice | StaffNotice
UserKind = Literal[
    "receipt",
    "receipt_attached",
    "receipt_unconfirmed",
    "taken",
    "escalated",
    "returned",
    "question",
    "update",
    "workaround",
    "restored",
    "resolved",
    "reopened",
    "cancelled",
    "merged",
    "problem_workaround",
    "extension",
    "agreed",
]
StaffKind = Literal[
    "page",
    "tto_warning",
    "tto_late",
    "tto_breach",
    "ttr_warning",
    "ttr_late",
    "ttr_breach",
    "ping_pong",
    "handover",
    "service_handover",
    "routed",
    "suggestion",
    "update_due",
]
USER_KINDS: tuple[UserKind, ...] = get_args(UserKind)
STAFF_KINDS: tuple[StaffKind, ...] = get_args(StaffKind)


def user_kind(notice: UserNotice) -> UserKind:  # noqa: C901, PLR0911, PLR0912 # a table that mypy holds complete
    """Return the kind of what a user is told."""
    match notice:
        case UnconfirmedReceipt():
            return "receipt_unconfirmed"
        case Receipt(attached=True):
            return "receipt_attached"
        case Receipt():
            return "receipt"
        case Taken():
            return "taken"
        case Escalated():
            return "escalated"
        case Returned():
            return "returned"
        case Question():
            return "question"
        case Update():
            return "update"
        case Workaround():
            return "workaround"
        case Restored():
            return "restored"
        case Resolved():
            return "resolved"
        case Reopened():
            return "reopened"
        case Cancelled():
            return "cancelled"
        case Merged():
            return "merged"
        case ProblemWorkaround():
            return "problem_workaround"
        case Extension():
            return "extension"
        case Agreed():
            return "agreed"
        case _:
            assert_never(notice)


def staff_kind(notice: StaffNotice) -> StaffKind:  # noqa: C901, PLR0911 # likewise
    """Return the kind of what staff are told; that of a manager is the trigger.

    A warning about what is due already is a kind of its own.
    """
    match notice:
        case Page():
            return "page"
        case ManagerNotice(trigger="tto_warning", is_late=True):
            return "tto_late"
        case ManagerNotice(trigger="ttr_warning", is_late=True):
            return "ttr_late"
        case ManagerNotice():
            return notice.trigger
        case Handover():
            return "handover"
        case ServiceHandover():
            return "service_handover"
        case Routed():
            return "routed"
        case Suggestion():
            return "suggestion"
        case UpdateDue():
            return "update_due"
        case _:
            assert_never(notice)
