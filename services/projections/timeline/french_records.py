"""Timeline sentences in French: hand-overs, problems, changes and announced work."""

from collections.abc import Mapping

from services.projections.timeline.sentence_parts import Part

RECORDS: Mapping[str, tuple[Part, ...]] = {
    "handover.requested": (
        "Transféré à la gestion des problèmes, équipe {team}",
        ", car le service {service} a dépassé",
        "le délai de rétablissement le {breached_at}",
        "\xa0; cela relève peut-être de {problem}",
        "\xa0; cela relève peut-être de l’un de ces problèmes\xa0: {proposed}",
        "\xa0; réponse attendue le {answer_by}",
    ),
    "handover.accepted": ("La gestion des problèmes l’a accepté\xa0: {problem}",),
    "handover.joined": ("La gestion des problèmes l’a rattaché à {problem}",),
    "handover.reopened": (
        "Retiré de {problem}, il attend la gestion des problèmes",
        "\xa0; réponse attendue le {answer_by}",
    ),
    "handover.declined": ("{who} a refusé le transfert\xa0: {reason}",),
    "handover.unanswered": (
        "La gestion des problèmes n’avait pas répondu le {unanswered_at}",
    ),
    "handover.service_requested": (
        "Le service {service} est transféré à la gestion des problèmes, équipe {team}",
        "\xa0: {breaches} délais dépassés en {within_days} jours",
        ", soit {overrun_seconds} de retard",
        "\xa0; il relève de {problem}",
        "\xa0; il relève peut-être de l’un de ces problèmes\xa0: {proposed}",
        "\xa0; réponse attendue le {answer_by}",
    ),
    "handover.service_accepted": (
        "La gestion des problèmes a accepté le service {service}\xa0: {problem}",
    ),
    "handover.service_joined": ("Le service {service} est rattaché à {problem}",),
    "handover.service_declined": (
        "{who} a refusé le transfert du service {service}\xa0: {reason}",
    ),
    "handover.service_unanswered": (
        "La gestion des problèmes n’avait pas répondu pour {service}",
        "le {unanswered_at}",
    ),
    "escalation.problem_suggested": (
        "Un problème a été suggéré à l’équipe {team}",
        "\xa0; incidents de même nature en {within_days} jours",
        "\xa0: {incidents}",
    ),
    "problem.identified": (
        "{who} a identifié le problème «\xa0{title}\xa0»",
        "du service {service}, pour l’équipe {team}",
        ", trouvé par {incident}",
    ),
    "problem.incident_linked": ("{who} a trouvé que {incident} a aussi cette cause",),
    "problem.incident_presumed": (
        "{incident} a dépassé son délai sur le même service, donc a peut-être cette",
        "cause\xa0: à confirmer",
    ),
    "problem.incident_related": ("{who} a trouvé que {incident} y est lié",),
    "problem.incident_unlinked": ("{who} a retiré le lien avec {incident}",),
    "problem.change_linked": ("{who} a demandé {change} pour supprimer la cause",),
    "problem.change_unlinked": ("{who} a retiré le lien avec {change}",),
    "problem.assigned": ("{who} l’a confié à l’équipe {team}", ", avec {incidents}"),
    "problem.workaround_published": (
        "{who} a publié une solution de contournement\xa0: «\xa0{workaround}\xa0»",
    ),
    "problem.diagnosed": ("{who} a trouvé la cause\xa0: «\xa0{cause}\xa0»",),
    "problem.resolved": ("{who} l’a résolu", "\xa0: {note}"),
    "problem.note_added": ("{who} a ajouté\xa0: «\xa0{note}\xa0»",),
    "change.requested": (
        "{who} a demandé le changement «\xa0{title}\xa0»",
        "du service {service}, pour l’équipe {team}",
        ", à cause de {incident}",
        ", à cause de {problem}",
    ),
    "change.incident_linked": ("{who} a lié {incident} ({relation})",),
    "change.incident_unlinked": (
        "{who} a retiré le lien avec {incident} ({relation})",
    ),
    "change.problem_linked": ("{who} a lié {problem}, qu’il doit résoudre",),
    "change.problem_unlinked": ("{who} a retiré le lien avec {problem}",),
    "change.assigned": ("{who} l’a confié à l’équipe {team}", ", avec {incidents}"),
    "change.planned": ("{who} l’a planifié pour {planned_for}",),
    "change.implemented": ("{who} l’a réalisé", "\xa0: {note}"),
    "change.cancelled": ("{who} l’a annulé\xa0: {reason}",),
    "change.note_added": ("{who} a ajouté\xa0: «\xa0{note}\xa0»",),
    "maintenance.announced": (
        "{who} a annoncé des travaux sur le service {service}, {window}",
        ", jusqu’au {until}\xa0: {reason}",
    ),
    "log.restored": (
        "{who} a ouvert l’époque {epoch} du journal, après la position {begins_after}",
        "\xa0: {reason}",
    ),
    "maintenance.cancelled": (
        "{who} a annulé les travaux {window}",
        "\xa0: {reason}",
    ),
}
