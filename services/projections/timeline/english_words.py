"""English words for identifiers and enumerated values, by field."""

from services.projections.timeline.sentence_parts import Words

_TOLD_ANYWAY = dict.fromkeys(
    (
        "new_trouble",
        "follows_older",
        "fires_again",
        "severity_changed",
        "still_fires",
        "recovered",
    ),
    "",
)

WORDS: Words = {
    "rule": {
        **_TOLD_ANYWAY,
        "correlated": "; it agrees with other signals",
        "open_after": "; it fired for long enough",
        "threshold": "; enough signals that agree fired",
        "maintenance_ended": "; it still fired when announced work ended",
        "hold_down": "; the recovery held long enough",
        "flapping": "; it had gone up and down, and held long enough",
    },
    "target": {
        "tto": "TTO",
        "ttr": "TTR",
        "update": "next update",
        "ola_n1_own": "OLA of N1 (take it on)",
        "ola_n1_work": "OLA of N1 (work)",
        "ola_n2_own": "OLA of N2 (take it on)",
        "ola_n2_work": "OLA of N2 (work)",
        "ola_n3_own": "OLA of N3 (take it on)",
        "ola_n3_work": "OLA of N3 (work)",
    },
    "cause": {
        "severity": "a signal got worse",
        "by_hand": "by hand",
        "dwell": "its time there was used up",
        "ola": "the time N1 owes (OLA) was used up",
        "desk_closed": "nobody is at the desk",
        "no_contract": "no contract says how long it may stay",
        "unanswered": "nobody took it on",
        "relapsed": "the trouble is back",
        "unmerged": "it was no duplicate",
        "covered": "a contract covers it again",
        "no_answer": "nobody answered",
        "ended": "there is nothing left to agree on",
    },
    "party": {"user": "the user's", "vendor": "a vendor's", "provider": "ours"},
    "whom": {
        "on_call": "whoever is on call",
        "next": "whoever comes next",
        "manager": "the manager",
        "members": "all members",
    },
    "channel": {"in_person": "a visit"},
    "kind": {
        "receipt": "receipt",
        "taken": "somebody works on it",
        "escalated": "specialists work on it",
        "returned": "a level works on it again",
        "question": "question",
        "update": "news",
        "restored": "service is back",
        "resolved": "resolved",
        "reopened": "reopened",
        "cancelled": "cancelled",
        "merged": "merged",
        "problem_workaround": "workaround of its problem",
        "page": "page",
        "manager": "notice to a manager",
        "handover": "hand-over",
        "service_handover": "hand-over of a service",
        "routed": "problem or change for a team",
        "suggestion": "suggestion of a problem",
        "update_due": "users wait for news",
    },
    "on": {
        "tto_warning": "a warning about TTO",
        "tto_breach": "a broken TTO",
        "ttr_warning": "a warning about TTR",
        "ttr_breach": "a broken TTR",
        "ping_pong": "an incident that goes to and fro",
    },
}
"""Values that are not shown as they are."""
