"""One notice of each kind with all it can say, and one with as little as it may."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from shared.i18n.notice_kinds import Notice, StaffKind, UserKind
from shared.i18n.promise_lines import Promise
from shared.i18n.staff_notices import (
    Handover,
    ManagerNotice,
    Page,
    Routed,
    ServiceHandover,
    Suggestion,
    Trigger,
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
    Workaround,
)

REF = "INC-000042"
TITLE = "Totaux faux dans la paie"
WORDS = "Bonjour,\n\nles totaux sont faux : {total} ?!\n-- \nPaul d'Artois"
TTO = Promise("tto", 1_800, datetime(2025, 6, 30, 7, 40, tzinfo=UTC))
TTR = Promise("ttr", 21_600, datetime(2025, 7, 1, 13, 10, tzinfo=UTC))
UPDATE = Promise("update", 7_200)
DUE = datetime(2025, 6, 30, 13, 10, tzinfo=UTC)
HALF = timedelta(minutes=30)
ANSWER = "https://desk.example/answer/SU5D"
LATER = datetime(2025, 7, 1, 8, 30, tzinfo=UTC)


def _alarm(trigger: Trigger, **more: object) -> ManagerNotice:
    known = {"incident": REF, "title": TITLE, "trigger": trigger, "at": DUE}
    about = {"priority": "p2", "service": "Paie", "team": "support"}
    return ManagerNotice(**known, **about, **more)  # type: ignore[arg-type] # by name


FULL: Mapping[UserKind | StaffKind, Notice] = {
    "receipt": Receipt(REF, TITLE, (TTO, TTR, UPDATE), WORDS, taken=True),
    "receipt_attached": Receipt(REF, TITLE, (TTO, TTR, UPDATE), WORDS, attached=True),
    "receipt_unconfirmed": UnconfirmedReceipt(REF, (TTO, TTR, UPDATE)),
    "taken": Taken(REF, TITLE, (TTR, UPDATE)),
    "escalated": Escalated(REF, TITLE, "n2"),
    "returned": Returned(REF, TITLE, "n1"),
    "question": Question(REF, TITLE, "Quel mois ?\nQuel service ?", clock_stands=True),
    "update": Update(REF, TITLE, "Le calcul est relancé."),
    "workaround": Workaround(REF, TITLE, "Utilisez l'export de mai."),
    "restored": Restored(REF, TITLE, "Le serveur est revenu."),
    "resolved": Resolved(REF, TITLE, "La table des taux est corrigée.", LATER),
    "reopened": Reopened(REF, TITLE, (TTO, Promise("ttr", 5_400, None, "resolved"))),
    "cancelled": Cancelled(REF, TITLE, "not_an_incident", "Demandez aux achats."),
    "merged": Merged(REF, TITLE, "INC-000016"),
    "problem_workaround": ProblemWorkaround(REF, TITLE, "PRB-000002", "Arrondir."),
    "extension": Extension(REF, TITLE, LATER, DUE, "La pièce manque.", DUE, ANSWER),
    "agreed": Agreed(REF, TITLE, LATER, "« Mardi me va », dit au téléphone.", DUE),
    "page": Page(
        REF,
        TITLE,
        "p2",
        "Paie",
        "n2",
        "next",
        "astreinte",
        2,
        1,
        WORDS,
        (TTR,),
        timedelta(minutes=15),
        again=True,
        nobody_on_call=True,
        url="https://desk.example/incidents/INC-000042",
        answer_by=DUE,
    ),
    "tto_warning": _alarm("tto_warning", percent=75, due_at=LATER),
    "tto_breach": _alarm("tto_breach", due_at=DUE, overrun=timedelta(minutes=5)),
    "tto_late": _alarm("tto_warning", percent=150, due_at=DUE),
    "ttr_warning": _alarm(
        "ttr_warning", percent=75, left=HALF, due_at=LATER, detected_at=LATER
    ),
    "ttr_late": _alarm("ttr_warning", late=HALF, due_at=DUE),
    "ttr_breach": _alarm("ttr_breach", due_at=DUE, overrun=timedelta(seconds=5_430)),
    "ping_pong": _alarm("ping_pong", returns=3, due_at=LATER),
    "handover": Handover(
        REF,
        TITLE,
        "p2",
        "Paie",
        DUE,
        timedelta(minutes=30),
        presumed="PRB-000002",
        words=WORDS,
        answer_by=LATER,
        url="https://desk.example/incidents/INC-000042",
    ),
    "handover_joined": Handover(
        REF,
        TITLE,
        "p2",
        "Paie",
        DUE,
        timedelta(minutes=30),
        problem="PRB-000002",
        asks=False,
        words=WORDS,
        url="https://desk.example/incidents/INC-000042",
    ),
    "service_handover": ServiceHandover(
        REF,
        "Paie",
        3,
        30,
        DUE,
        "INC-000003, INC-000006, INC-000042",
        overrun=timedelta(minutes=200),
        asks=True,
        answer_by=LATER,
        url="https://desk.example/incidents/INC-000042",
    ),
    "routed": Routed(
        "PRB-000002",
        TITLE,
        "Paie",
        "etudes",
        "Nadia Roux",
        f"INC-000016: Écart sur juin\n{REF}: {TITLE}",
        more=180,
        problem="PRB-000002",
    ),
    "suggestion": Suggestion(
        REF,
        TITLE,
        "Accès distant",
        30,
        "INC-000002, INC-000005, INC-000042",
        "https://desk.example/incidents/INC-000042",
        "INC-000005: Redémarrer le concentrateur depuis la console",
    ),
    "update_due": UpdateDue(REF, TITLE, "p2", "Paie", timedelta(hours=2), DUE, LATER),
}

LEAST: Mapping[UserKind | StaffKind, Notice] = {
    "receipt": Receipt(REF, TITLE),
    "receipt_attached": Receipt(REF, TITLE, attached=True),
    "receipt_unconfirmed": UnconfirmedReceipt(REF),
    "taken": Taken(REF, TITLE),
    "escalated": Escalated(REF, TITLE, "n3"),
    "returned": Returned(REF, TITLE, "n2"),
    "question": Question(REF, TITLE, "Quel mois ?"),
    "update": Update(REF, TITLE, "Rien de neuf."),
    "workaround": Workaround(REF, TITLE),
    "restored": Restored(REF, TITLE),
    "resolved": Resolved(REF, TITLE),
    "reopened": Reopened(REF, TITLE),
    "cancelled": Cancelled(REF, TITLE, "withdrawn"),
    "merged": Merged(REF, TITLE, "INC-000016"),
    "problem_workaround": ProblemWorkaround(REF, TITLE, "PRB-000002", "Arrondir."),
    "extension": Extension(REF, TITLE, LATER, LATER, "Il faut plus de temps."),
    "agreed": Agreed(REF, TITLE, LATER),
    "page": Page(REF, TITLE, "p1", "Paie", "n2", "on_call", "astreinte", 1, 1),
    "tto_warning": _alarm("tto_warning"),
    "tto_breach": _alarm("tto_breach"),
    "tto_late": _alarm("tto_warning", percent=101),
    "ttr_warning": _alarm("ttr_warning"),
    "ttr_late": _alarm("ttr_warning", late=HALF),
    "ttr_breach": _alarm("ttr_breach"),
    "ping_pong": _alarm("ping_pong"),
    "handover": Handover(REF, TITLE, "p2", "Paie", DUE),
    "handover_joined": Handover(
        REF, TITLE, "p2", "Paie", DUE, problem="PRB-000002", asks=False
    ),
    "service_handover": ServiceHandover(
        REF,
        "Paie",
        None,
        30,
        DUE,
        REF,
        downtime=timedelta(minutes=91),
        problem="PRB-000002",
    ),
    "routed": Routed(
        "CHG-000003", TITLE, "Paie", "etudes", "nadia", REF, change="CHG-000003"
    ),
    "suggestion": Suggestion(REF, TITLE, "Accès distant", 30, "INC-000002, " + REF),
    "update_due": UpdateDue(REF, TITLE, "p2", "Paie", timedelta(hours=2), DUE),
}
