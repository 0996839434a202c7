"""The template names of notices, and the words for fields that contain codes."""

from collections.abc import Mapping
from typing import Literal, assert_never, get_args

from shared.i18n.formats import Language
from shared.i18n.staff_notices import (
    Handover,
    ManagerNotice,
    Page,
    Routed,
    ServiceHandover,
    StaffNotice,
    Suggestion,
    UpdateDue,
)
from shared.i18n.user_notices import (
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
    "handover_joined",
    "service_handover",
    "routed",
    "suggestion",
    "update_due",
]
USER_KINDS: tuple[UserKind, ...] = get_args(UserKind)
STAFF_KINDS: tuple[StaffKind, ...] = get_args(StaffKind)


def user_kind(notice: UserNotice) -> UserKind:  # noqa: C901, PLR0911, PLR0912 # a table that mypy holds complete
    """Return the template name of a notice to a user."""
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
    """Return the template name of a notice to staff; for managers, the trigger.

    A warning about an overdue promise has a name of its own, and so has a hand-over
    that nobody has to answer.
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
        case Handover(asks=False):
            return "handover_joined"
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


_PRIORITIES = {f"p{number}": f"P{number}" for number in range(1, 5)}
_LEVELS = {f"n{number}": f"N{number}" for number in range(1, 4)}

CODES: Mapping[Language, Mapping[str, Mapping[str, str]]] = {
    "fr": {
        "priority": _PRIORITIES,
        "level": _LEVELS,
        "author": {
            "user": "Les mots de l’utilisateur :",
            "monitoring": "Ce que la supervision a envoyé :",
            "agent": "Ce que le centre de services a noté :",
        },
        "to_level": {
            "n1": "nos agents (niveau 1)",
            "n2": "nos spécialistes (niveau 2)",
            "n3": "nos experts (niveau 3)",
        },
        "reason": {
            "not_an_incident": "il ne s’agit pas d’un incident",
            "duplicate": "il est déjà suivi par ailleurs",
            "withdrawn": "vous l’avez retiré",
            "test": "il s’agissait d’un essai",
        },
        "who": {
            "on_call": "vous êtes d’astreinte au planning",
            "next": "vous venez ensuite au planning",
            "manager": "vous êtes responsable de l’équipe",
            "members": "vous faites partie de l’équipe",
        },
    },
    "en": {
        "priority": _PRIORITIES,
        "level": _LEVELS,
        "author": {
            "user": "In the user’s own words:",
            "monitoring": "What monitoring sent:",
            "agent": "What the service desk noted:",
        },
        "to_level": {
            "n1": "our agents (level 1)",
            "n2": "our specialists (level 2)",
            "n3": "our experts (level 3)",
        },
        "reason": {
            "not_an_incident": "it is not an incident",
            "duplicate": "it is followed elsewhere already",
            "withdrawn": "you withdrew it",
            "test": "it was a test",
        },
        "who": {
            "on_call": "you are on call in the schedule",
            "next": "you come next in the schedule",
            "manager": "you are the manager of the team",
            "members": "you are a member of the team",
        },
    },
}
