"""Every word a page says by itself, in each language it speaks."""

from collections.abc import Mapping

from typing_extensions import TypeIs

from services.projections.page import answer_words, report_words
from shared.wording.reader import Language

Words = Mapping[str, str]

_ENGLISH: Words = {
    "queues": "Queues",
    "queue.all": "All",
    "queue.mine": "Mine",
    "queue.unassigned": "Unassigned",
    "queue.ended": "Ended",
    "incident": "Incident",
    "priority": "Priority",
    "status": "Status",
    "team": "Team",
    "level": "Level",
    "assignee": "Assignee",
    "accepted_by": "Accepted by",
    "reporter": "Reporter",
    "service": "Service",
    "client": "Client",
    "category": "Category",
    "due": "Due",
    "opened_at": "Opened",
    "reported_at": "Reported",
    "acknowledged_at": "Acknowledged",
    "restored_at": "Service restored",
    "resolved_at": "Resolved",
    "closed_at": "Closed",
    "cancelled_at": "Cancelled",
    "merged_into": "Merged into",
    "breached": "breached",
    "overrun": "too late by",
    "handover": "Problem Management",
    "service_handover": "The service, to Problem Management",
    "problems": "Problems",
    "changes": "Changes",
    "changed": "Changed nearby",
    "repeats": "repeats",
    "timeline": "Timeline",
    "older": "Next page",
    "more": "Later events",
    "back": "All queues",
    "nobody": "unassigned",
    "empty": "Nothing here: all is quiet.",
    "nothing_found": "Nothing found.",
    "search": "Search titles and references",
    "sign_in": "Sign in",
    "sign_out": "Sign out",
    "token": "Token",
    "token_hint": "It begins with “pmn_”; an admin makes one with "
    "“permanence token create”. This browser keeps it for twelve hours.",
    "sign_in_why": "The queues are for those on duty.",
    "live": "live",
    "away": "connecting again…",
    "by_hand": "reload to see news",
    "try_again": "Try again",
    "no.elsewhere": "This form was sent from another site. Sign in here instead.",
    "target.tto": "time to own",
    "target.ttr": "time to resolve",
    "target.update": "next update",
    "target.ola_n1_own": "OLA of N1: take it on",
    "target.ola_n1_work": "OLA of N1: work",
    "target.ola_n2_own": "OLA of N2: take it on",
    "target.ola_n2_work": "OLA of N2: work",
    "target.ola_n3_own": "OLA of N3: take it on",
    "target.ola_n3_work": "OLA of N3: work",
    "handover.requested": "no answer yet",
    "handover.unanswered": "no answer in time",
    "handover.accepted": "accepted",
    "handover.joined": "joined",
    "handover.declined": "declined",
}
_FRENCH: Words = {
    "queues": "Files",
    "queue.all": "Tous",
    "queue.mine": "À moi",
    "queue.unassigned": "Non attribués",
    "queue.ended": "Terminés",
    "incident": "Incident",
    "priority": "Priorité",
    "status": "État",
    "team": "Équipe",
    "level": "Niveau",
    "assignee": "Attribué à",
    "accepted_by": "Accepté par",
    "reporter": "Déclarant",
    "service": "Service",
    "client": "Client",
    "category": "Catégorie",
    "due": "Échéance",
    "opened_at": "Ouvert",
    "reported_at": "Signalé",
    "acknowledged_at": "Pris en compte",
    "restored_at": "Service rétabli",
    "resolved_at": "Résolu",
    "closed_at": "Clos",
    "cancelled_at": "Annulé",
    "merged_into": "Regroupé dans",
    "breached": "dépassé",
    "overrun": "en retard de",
    "handover": "Gestion des problèmes",
    "service_handover": "Le service, à la gestion des problèmes",
    "problems": "Problèmes",
    "changes": "Changements",
    "changed": "Changé peu avant",
    "repeats": "répétitions",
    "timeline": "Chronologie",
    "older": "Page suivante",
    "more": "Événements suivants",
    "back": "Toutes les files",
    "nobody": "non attribué",
    "empty": "Rien ici : tout est calme.",
    "nothing_found": "Rien trouvé.",
    "search": "Chercher un titre ou une référence",
    "sign_in": "Se connecter",
    "sign_out": "Se déconnecter",
    "token": "Jeton",
    "token_hint": "Il commence par « pmn_ » ; un administrateur en crée un par "
    "« permanence token create ». Ce navigateur le garde douze heures.",
    "sign_in_why": "Les files sont réservées à la permanence.",
    "live": "en direct",
    "away": "reconnexion…",
    "by_hand": "rechargez pour voir la suite",
    "try_again": "Réessayer",
    "no.elsewhere": "Ce formulaire vient d’un autre site. Connectez-vous ici.",
    "no.token": "Ce jeton est inconnu, expiré ou révoqué : demandez-en un à un "
    "administrateur, qui le crée par « permanence token create ».",
    "no.scope": "Ce jeton ne permet pas de lire les files : il faut celui d’un agent, "
    "d’un responsable, d’un auditeur ou d’un administrateur.",
    "no.unknown_incident": "Cet incident n’existe pas.",
    "no.unknown_queue": "Cette file n’existe pas.",
    "no.invalid": "Cette adresse n’est pas comprise.",
    "no.cursor": "Cette page n’est plus là : recommencez au début de la file.",
    "no.other_epoch": "Le journal a été restauré : recommencez au début de la file.",
    "no.not_built": "Les files sont en cours de construction : revenez dans un moment.",
    "no.behind": "La file n’est pas encore à jour : revenez dans un moment.",
    "no.overloaded": "Trop de demandes à la fois : revenez dans un moment.",
    "no.too_slow": "Cette recherche prend trop de temps : précisez-la.",
    "no.log_away": "Le journal est injoignable : revenez dans un moment.",
    "no.log_not_continued": "Le journal a été restauré : revenez plus tard.",
    "no.record_unreadable": (
        "Ce dossier est momentanément illisible : rien n’a été enregistré, "
        "revenez dans un moment."
    ),
    "no.log_silent": "Le journal ne répond pas : revenez dans un moment.",
    "target.tto": "délai de prise en compte",
    "target.ttr": "délai de résolution",
    "target.update": "délai d’information",
    "target.ola_n1_own": "OLA de N1\u00a0: prise en charge",
    "target.ola_n1_work": "OLA de N1\u00a0: travail",
    "target.ola_n2_own": "OLA de N2\u00a0: prise en charge",
    "target.ola_n2_work": "OLA de N2\u00a0: travail",
    "target.ola_n3_own": "OLA de N3\u00a0: prise en charge",
    "target.ola_n3_work": "OLA de N3\u00a0: travail",
    "handover.requested": "sans réponse pour l’instant",
    "handover.unanswered": "sans réponse à temps",
    "handover.accepted": "accepté",
    "handover.joined": "rattaché",
    "handover.declined": "refusé",
    # What the desk calls things, by its own names; in English they are the words.
    "new": "nouveau",
    "acknowledged": "pris en compte",
    "paused": "en attente",
    "resolved": "résolu",
    "closed": "clos",
    "cancelled": "annulé",
    "merged": "regroupé",
    "running": "en cours",
    "met": "tenu",
}
LANGUAGES: Mapping[Language, Words] = {
    "en": {**_ENGLISH, **report_words.ENGLISH, **answer_words.ENGLISH},
    "fr": {**_FRENCH, **report_words.FRENCH, **answer_words.FRENCH},
}


def is_language(text: str | None) -> TypeIs[Language]:
    """Tell whether pages are written in the language named by `text`."""
    return text in LANGUAGES


def named(language: Language, name: str) -> str:
    """Return one of the desk's own names, such as a status, in a language."""
    return LANGUAGES[language].get(name, name.replace("_", " "))


def refusal(language: Language, code: str | None, sentence: str) -> str:
    """Return why the API said no; what it says by itself is English."""
    return LANGUAGES[language].get(f"no.{code}", sentence)
