"""One notice of each kind with all it can say, and one with as little as it may."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from shared.i18n.access_notices import (
    BreakGlassUsed,
    ContactChange,
    ContactCode,
    Invitation,
    SignInLink,
)
from shared.i18n.messages import Notice
from shared.i18n.on_call_notices import (
    ChangeLine,
    CoverageReport,
    GapAlarm,
    HandOff,
    IncidentLine,
    MonthlyStatement,
    PageTestNotice,
    ShiftLine,
    ShiftReminder,
    SwapAnswers,
    SwapLine,
    SwapRequests,
    Unverified,
    UnverifiedAlarm,
    WorkLine,
)
from shared.i18n.owner_notices import (
    ReviewActionNotice,
    ReviewNotice,
    SurveyActionNotice,
    SurveyWarning,
)
from shared.i18n.staff_notices import (
    AcknowledgementReminder,
    Exhausted,
    Handover,
    ManagerNotice,
    NobodyNotified,
    Page,
    PageInBrief,
    Reminder,
    Routed,
    ServiceHandover,
    Suggestion,
    TakenByColleague,
    Trigger,
    Unreachable,
    UpdateDue,
)
from shared.i18n.user_notices import (
    Agreed,
    Cancelled,
    ClientSurveyQuestion,
    Escalated,
    Extension,
    Merged,
    MonthReportNotice,
    ProblemWorkaround,
    Promise,
    Question,
    Receipt,
    Redirected,
    Reopened,
    Resolved,
    Restored,
    Returned,
    SurveyQuestion,
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
DAY = timedelta(days=1)
ANSWER = "https://desk.example/answer/SU5D"
FOLLOW = "https://desk.example/my/SU5D"
LATER = datetime(2025, 7, 1, 8, 30, tzinfo=UTC)
ON_CALL = "https://desk.example"
SHIFT = ShiftLine("nuit", "secondary", DUE, LATER, "Ines, Jos")
SWAP = SwapLine(
    "nuit",
    "secondary",
    "Jos",
    "Ines",
    DUE,
    LATER,
    LATER + DAY,
    LATER + 2 * DAY,
    url="https://desk.example/on-call/nuit/swaps/nuit.3",
)
CHANGES = (
    ChangeLine("nuit", DUE, LATER, "Ghislaine", added="Ines", removed="Jos"),
    ChangeLine("nuit", DUE, LATER, "Ines", added="Ines", is_withdrawn=True),
    ChangeLine("nuit", DUE, LATER, "Jos", removed="Jos"),
    ChangeLine("nuit", DUE, LATER, "Ghislaine"),
    ChangeLine("", DUE, LATER, "Jos", absent="Jos"),
)
OPEN = IncidentLine(REF, "p1", "Paie", LATER)
WORK = WorkLine(DUE, LATER, REF)
LINK = SignInLink("https://desk.example/sign-in/link/pml_0", timedelta(minutes=15))


def _alarm(trigger: Trigger, **more: object) -> ManagerNotice:
    known = {"incident": REF, "title": TITLE, "trigger": trigger, "at": DUE}
    about = {"priority": "p2", "service": "Paie", "team": "support"}
    return ManagerNotice(**known, **about, **more)  # type: ignore[arg-type] # by name


SURVEY = SurveyQuestion(REF, "https://desk.example/survey/SU5D", LATER)
_JUNE = ("usagers", date(2025, 6, 1), date(2025, 6, 30))
_ACTION = ("usagers", 3, date(2025, 7, 11), "Rappeler sous une heure.")
REPORT = (date(2025, 6, 1), "https://desk.example/month-report/SU5D", LATER)
SURVEYS = "https://desk.example/surveys/usagers"
_REVIEW = (REF, date(2025, 7, 11))
_REVIEW_ACTION = (REF, 3, date(2025, 7, 11), "Doubler le lien réseau.")
REVIEW = f"https://desk.example/incidents/{REF}/review"
FULL: Mapping[str, Notice] = {
    "survey": SurveyQuestion(REF, SURVEY.url, LATER, again=True),
    "survey_warning_not_asked": SurveyWarning("not_asked", *_JUNE, SURVEYS),
    "survey_warning_not_published": SurveyWarning("not_published", *_JUNE, SURVEYS),
    "survey_action_opened": SurveyActionNotice("action_opened", *_ACTION, SURVEYS),
    "survey_action_due": SurveyActionNotice("action_due", *_ACTION, SURVEYS),
    "survey_action_overdue": SurveyActionNotice("action_overdue", *_ACTION, SURVEYS),
    "review_opened": ReviewNotice("review_opened", *_REVIEW, REVIEW),
    "review_overdue": ReviewNotice("review_overdue", *_REVIEW, REVIEW),
    "review_action_opened": ReviewActionNotice(
        "action_opened", *_REVIEW_ACTION, REVIEW
    ),
    "review_action_due": ReviewActionNotice("action_due", *_REVIEW_ACTION, REVIEW),
    "review_action_overdue": ReviewActionNotice(
        "action_overdue", *_REVIEW_ACTION, REVIEW
    ),
    "client_survey": ClientSurveyQuestion(SURVEY.url, LATER, again=True),
    "month_report": MonthReportNotice(*REPORT, corrects=1),
    "hand_off": HandOff(DUE, (SHIFT,), (SHIFT,), (OPEN, OPEN), 3, ON_CALL),
    "shift_reminder": ShiftReminder((SHIFT,), ON_CALL),
    "gap_alarm": GapAlarm((SHIFT,), ON_CALL),
    "coverage_report": CoverageReport(
        LATER, "nuit", (SHIFT,), (SHIFT,), (SHIFT,), CHANGES, 3, ON_CALL
    ),
    "swap_request": SwapRequests((SWAP, SWAP), ON_CALL),
    "swap_answer": SwapAnswers((replace(SWAP, is_accepted=True), SWAP), ON_CALL),
    "unverified": Unverified((SHIFT,), f"{ON_CALL}/me/contact-methods"),
    "unverified_alarm": UnverifiedAlarm((SHIFT,), ON_CALL),
    "monthly_statement": MonthlyStatement(
        DUE, LATER, 100 * HALF, HALF, (SHIFT,), (WORK,), (WORK,), 3, ON_CALL
    ),
    "page_test": PageTestNotice(
        "PT-nadia.3", LATER, "https://desk.example/page-test/SU5D"
    ),
    "sign_in_link": LINK,
    "invitation": Invitation(
        "https://desk.example/sign-in/link/pml_0", "Sylvie Martin", 7
    ),
    "break_glass_used": BreakGlassUsed(
        "person:break-glass",
        "safe, room 12",
        DUE,
        LATER,
        "Firefox on Linux",
        "https://desk.example/sessions?everybody=1",
    ),
    "contact_code": ContactCode("048151", 10),
    "contact_change": ContactChange(
        "added", "sms", "https://desk.example/me/contact-methods"
    ),
    "page_in_brief": PageInBrief(REF, "p1", "Paie", FOLLOW),
    "unreachable": Unreachable(REF, "Chloé Bernard", "p1", "Paie", FOLLOW),
    "nobody_notified": NobodyNotified(REF, "p1", "Paie", "n2", FOLLOW),
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
    "redirected": Redirected(REF, TITLE, "Achats", WORDS),
    "problem_workaround": ProblemWorkaround(REF, TITLE, "PRB-000002", "Arrondir."),
    "extension": Extension(REF, TITLE, LATER, DUE, "La pièce manque.", DUE, ANSWER),
    "agreed": Agreed(REF, TITLE, LATER, "« Mardi me va », dit au téléphone.", DUE),
    "page": Page(
        REF,
        TITLE,
        "p2",
        "Paie",
        "n2",
        "on_call",
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
        by_reply=True,
        role="secondary",
        since=LATER,
        rules="apps",
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
    "exhausted": Exhausted(
        REF,
        TITLE,
        "p1",
        "Paie",
        "n2",
        "support",
        2,
        LATER,
        url="https://desk.example/incidents/INC-000042",
    ),
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
    "reminder": Reminder(
        REF,
        TITLE,
        "p2",
        "Paie",
        DUE,
        "Rappeler le fournisseur",
        url="https://desk.example/incidents/INC-000042",
    ),
    "acknowledgement_reminder": AcknowledgementReminder(
        REF, TITLE, "p2", "Paie", LATER, "https://desk.example/incidents/INC-000042"
    ),
    "taken_by_colleague": TakenByColleague(
        REF, TITLE, "p2", "Paie", "https://desk.example/incidents/INC-000042"
    ),
}

LEAST: Mapping[str, Notice] = {
    "survey": SURVEY,
    "survey_warning_not_asked": SurveyWarning("not_asked", *_JUNE),
    "survey_warning_not_published": SurveyWarning("not_published", *_JUNE),
    "survey_action_opened": SurveyActionNotice("action_opened", *_ACTION),
    "survey_action_due": SurveyActionNotice("action_due", *_ACTION),
    "survey_action_overdue": SurveyActionNotice("action_overdue", *_ACTION),
    "review_opened": ReviewNotice("review_opened", *_REVIEW),
    "review_overdue": ReviewNotice("review_overdue", *_REVIEW),
    "review_action_opened": ReviewActionNotice("action_opened", *_REVIEW_ACTION),
    "review_action_due": ReviewActionNotice("action_due", *_REVIEW_ACTION),
    "review_action_overdue": ReviewActionNotice("action_overdue", *_REVIEW_ACTION),
    "client_survey": ClientSurveyQuestion(SURVEY.url, LATER),
    "month_report": MonthReportNotice(*REPORT),
    "hand_off": HandOff(DUE, ends=(ShiftLine("nuit"),)),
    "shift_reminder": ShiftReminder((ShiftLine("nuit", "", DUE, LATER),)),
    "gap_alarm": GapAlarm((ShiftLine("nuit", "", DUE, LATER),)),
    "coverage_report": CoverageReport(LATER, "nuit"),
    "swap_request": SwapRequests((SwapLine("nuit", "", "Jos", "Ines", DUE, LATER),)),
    "swap_answer": SwapAnswers((SwapLine("nuit", "", "Jos", "Ines", DUE, LATER),)),
    "unverified": Unverified((ShiftLine("nuit", "", DUE, LATER),)),
    "unverified_alarm": UnverifiedAlarm((ShiftLine("nuit", "", DUE, LATER, "Ines"),)),
    "monthly_statement": MonthlyStatement(DUE, LATER, timedelta(), timedelta()),
    "page_test": PageTestNotice("PT-nadia.3", LATER),
    "sign_in_link": LINK,
    "invitation": Invitation("https://desk.example/sign-in/link/pml_0", "sylvie", 7),
    "break_glass_used": BreakGlassUsed("person:break-glass", "safe", DUE, LATER),
    "contact_code": ContactCode("048151", 10),
    "contact_change": ContactChange("removed", "sms"),
    "page_in_brief": PageInBrief(REF, "p1", "Paie"),
    "unreachable": Unreachable(REF, "", "p1", "Paie"),
    "nobody_notified": NobodyNotified(REF, "p1", "Paie", "n2"),
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
    "redirected": Redirected(REF, "", "", ""),
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
    "exhausted": Exhausted(REF, TITLE, "p3", "Paie", "n2", "support", 1, LATER),
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
    "reminder": Reminder(REF, TITLE, "p2", "Paie", DUE),
    "acknowledgement_reminder": AcknowledgementReminder(
        REF, TITLE, "p2", "Paie", LATER
    ),
    "taken_by_colleague": TakenByColleague(REF, TITLE, "p2", "Paie"),
}
