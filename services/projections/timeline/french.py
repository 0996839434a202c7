"""Timeline sentences in French; `sentence_parts` describes the form.

A part that begins with a no-break space is joined without another space. Some rules
have sentences of their own.
"""

from collections.abc import Mapping

from services.projections.timeline.french_records import RECORDS
from services.projections.timeline.sentence_parts import Part

FRENCH: Mapping[str, tuple[Part, ...]] = {
    "incident.opened": (
        "{who} a ouvert l’incident «\xa0{title}\xa0»",
        "sur le service {service}",
        "(la source l’appelle {claimed_service})",
        "avec la priorité {priority}",
        "pour l’équipe {team}",
        ", signalé par {reporter}",
        ("override", "\xa0; priorité fixée à la main"),
        ", parce que\xa0: {override_reason}",
        "\xa0; enregistré après coup, parce que\xa0: {backdated_because}",
        "\xa0; séparé de {split_from}",
        "\xa0; même panne que {follows} auparavant",
        "{rule}",
        "({rule_of})",
    ),
    "incident.contacted": (
        "{who} a noté un contact ({direction}, {channel}) avec {person}",
        ", qui a attendu {waited_seconds}",
        ("abandoned", "et a renoncé"),
        ("unconfirmed", "(personne n’a confirmé que cela le concerne)"),
        ("sender_unconfirmed", "(rien ne prouve qui l’a envoyé)"),
        "\xa0: «\xa0{words}\xa0»",
    ),
    "incident.edited": (
        "{who} l’a reformulé",
        "\xa0: «\xa0{title}\xa0»",
        "\xa0; description\xa0: «\xa0{description}\xa0»",
    ),
    "incident.classified": (
        "{who} l’a qualifié\xa0: service {service}, impact {impact}, urgence {urgency}",
        ", priorité {priority}",
        ("override", "fixée à la main"),
        ", catégorie {category}",
        ", client {client}",
        ", parce que\xa0: {reason}",
    ),
    "incident.assigned": (
        "{who} l’a confié à l’équipe {team}",
        ", à {assignee}",
        ", parce que\xa0: {reason}",
        "\xa0; n’est pas nommé pour ce service\xa0: {unskilled}",
    ),
    "incident.acknowledged": ("{who} l’a pris en compte",),
    "incident.paused": (
        "{who} l’a mis en attente ({reason})",
        "et a demandé\xa0: «\xa0{question}\xa0»",
    ),
    "incident.resumed": ("{who} a mis fin à l’attente ({cause})",),
    "incident.informed": ("{who} a dit à l’utilisateur\xa0: «\xa0{message}\xa0»",),
    "incident.restored": (
        "{who} a noté le retour du service",
        ("workaround", "par une solution de contournement"),
        "\xa0: {note}",
    ),
    "incident.relapsed": (
        "{who} a noté une nouvelle panne du service",
        "\xa0: {reason}",
        "{rule}",
        "({rule_of})",
    ),
    "incident.resolved": (
        "{who} l’a résolu",
        "\xa0: {note}",
        "\xa0; un signal durait encore, mais\xa0: {forced_because}",
        ("root_cause_open", "\xa0; la cause reste à trouver"),
        ", grâce à la note de solution de {solution}",
        ("asks_for_solution", "\xa0; une note de solution est attendue"),
    ),
    "incident.note_added": ("{who} a ajouté\xa0: «\xa0{note}\xa0»",),
    "incident.solution_noted": (
        "{who} a noté comment le centre de services peut le résoudre",
        "\xa0: «\xa0{note}\xa0»",
    ),
    "incident.reopened": (
        "{who} l’a rouvert",
        ("after_closure", "après sa clôture"),
        "({cause}, cycle {cycle})",
        ("quick_fix", ", après un simple palliatif"),
        "\xa0: {reason}",
        "{rule}",
        "({rule_of})",
    ),
    "incident.closed": (
        "{who} l’a clos",
        "\xa0: {note}",
        (
            "asks_for_problem",
            "\xa0; la cause reste à trouver, et aucun problème n’est lié",
        ),
    ),
    "incident.cancelled": ("{who} l’a annulé ({reason})", "\xa0: {note}"),
    "incident.signalled": (
        "{source} l’a signalé",
        "sous le titre «\xa0{title}\xa0»",
        "avec la gravité {severity}",
        "(répétitions\xa0: {repeats})",
        "{rule}",
        "({rule_of})",
    ),
    "incident.recovered": (
        "{source} a annoncé la fin de la panne",
        "(répétitions avant\xa0: {repeats})",
        "{rule}",
        "({rule_of})",
        ", à compter du {held_until}",
    ),
    "incident.flapping_started": (
        "Un signal de {source} va et vient",
        "\xa0: {changes} changements depuis le {since}",
    ),
    "incident.flapping_ended": (
        "Un signal de {source} est stable depuis le {held_until}",
        ", après {changes} changements depuis le {since}",
    ),
    "incident.snoozed": (
        "{who} ne veut pas être informé des répétitions jusqu’au {until}",
        "\xa0: {reason}",
    ),
    "incident.woken": ("Ses répétitions sont de nouveau signalées ({cause})",),
    "incident.source_acknowledged": ("Il a été acquitté chez {source}",),
    "incident.source_noted": (
        "Noté chez {source}",
        "par {author}",
        "\xa0: «\xa0{note}\xa0»",
    ),
    "incident.linked": ("{who} l’a lié à {target} ({relation})",),
    "incident.unlinked": ("{who} a retiré son lien avec {target} ({relation})",),
    "incident.problem_presumed": (
        "Il rejoint {problem}, ouvert pour le même service\xa0: à confirmer",
    ),
    "incident.problem_resolved": ("{problem}, sa cause, est résolu",),
    "incident.merged": ("{who} l’a regroupé dans {into}",),
    "incident.absorbed": ("{who} y a regroupé {merged}",),
    "incident.unmerged": ("{who} l’a ressorti de {out_of}",),
    "incident.released": ("{who} en a ressorti {merged}",),
    "incident.split": ("{who} en a séparé {into}",),
    "sla.armed": (
        "Le contrat {contract} promet {target} en {seconds}",
        "du calendrier {calendar}\xa0: échéance {due_at}",
    ),
    "sla.warned": (
        "{percent}\xa0% du délai pour {target} sont consommés\xa0: échéance {due_at}",
        "Il reste {before_seconds} pour {target}\xa0: échéance {due_at}",
        "Pour {target}, l’échéance est passée depuis {after_seconds}\xa0: {due_at}",
    ),
    "sla.breached": (
        "Le délai pour {target} a été dépassé le {breached_at}",
        "\xa0: le contrat {contract} promettait {seconds}",
    ),
    "sla.met": (
        "Délai tenu pour {target} le {met_at}, en {elapsed_seconds} sur {seconds}",
    ),
    "sla.overran": (
        "Fait le {done_at} pour {target}, avec {overrun_seconds} de retard",
    ),
    "sla.cancelled": ("Délai pour {target} annulé le {cancelled_at} ({reason})",),
    "sla.paused": (
        "Le délai pour {target} est suspendu ({reason})\xa0; il reste {left_seconds}",
    ),
    "sla.resumed": ("Le délai pour {target} reprend\xa0: échéance {due_at}",),
    "sla.continued": (
        "Le délai pour {target} reprend ({cause})\xa0: échéance {due_at}",
    ),
    "sla.retargeted": (
        "Pour {target}, le délai est de {seconds} et non plus de {was_seconds}",
        ", par le contrat {contract}",
        "\xa0: échéance {due_at} et non plus {was_due_at}",
    ),
    "promises.moved": (
        "{who} a fait passer ses délais de la version {was_policy} à la {policy}",
        "(opération {operation})",
        ", parce que\xa0: {reason}",
    ),
    "sla.extension_proposed": (
        "{who} a demandé un délai plus long pour {target} ({extension})",
        "\xa0: {proposed_due_at}",
        "au lieu de {was_due_at}",
        ", parce que\xa0: {reason}",
        "\xa0; réponse de {asked} attendue avant le {expires_at}",
    ),
    "sla.extension_accepted": (
        "{accepted_by} a accepté un délai plus long pour {target} ({extension})",
        "par {channel}\xa0: {agreed_due_at}",
        "au lieu de {was_due_at}",
        "\xa0; soit {seconds} et non plus {was_seconds}",
        "\xa0; noté par {who}",
        ", preuve\xa0: «\xa0{evidence}\xa0»",
        ("after_breach", "\xa0; le dépassement d’avant demeure"),
    ),
    "sla.extension_refused": (
        "{refused_by} a refusé un délai plus long pour {target} ({extension})",
        "par {channel}",
        "\xa0; noté par {who}",
        ", preuve\xa0: «\xa0{evidence}\xa0»",
    ),
    "sla.extension_expired": (
        "La demande d’un délai plus long pour {target} ({extension})",
        "est caduque depuis le {expired_at}\xa0: {cause}",
    ),
    "sla.breach_attributed": (
        "{who} a attribué le dépassement du délai pour {target}\xa0: {party}",
        "({whom})",
        ", parce que\xa0: {reason}",
        "\xa0; le journal le montre en {evidence}",
    ),
    "escalation.escalated": (
        "Escalade de {from_level} à {to_level}, vers l’équipe {team}\xa0: {cause}",
        "({dwell_seconds})",
        ", parce que\xa0: {reason}",
    ),
    "escalation.returned": (
        "Retour de {from_level} à {to_level}, vers l’équipe {team}",
    ),
    "escalation.paged": (
        "Appel à {people}\xa0: l’étape {step} de {level}, essai {loop}, désigne {whom}",
        "du planning {schedule}",
        "de l’équipe {team}",
        "\xa0; échéance {due_at}, selon la version {policy} de la politique",
        "\xa0; n’est pas nommé pour ce service\xa0: {unskilled}",
        ("nobody_on_call", "\xa0; personne n’était d’astreinte\xa0: relève prévue"),
    ),
    "escalation.accepted": (
        "{person} l’a pris en charge en {level} ({how})",
        "\xa0; n’est pas nommé pour ce service\xa0: {unskilled}",
    ),
    "escalation.unanswered": (
        "Personne ne l’a pris en charge en {level}",
        "\xa0: toutes les étapes étaient tentées le {unanswered_at}",
    ),
    "escalation.raised": (
        "Alerte à {people}, comme {whom}",
        "du planning {schedule}",
        "de l’équipe {team}",
        "\xa0: {on}",
        "({percent}\xa0%)",
        "({before_seconds} avant l’échéance)",
        "({after_seconds} après l’échéance)",
        "(retours\xa0: {returns})",
    ),
    "notification.requested": (
        "Un message ({kind})",
        "à {person}",
        "doit partir par {channel}",
    ),
    "notification.sent": (
        "Le message",
        "({kind})",
        "à {person}",
        "est parti",
        "par {channel}",
    ),
    "notification.confirmed": (
        "Le message",
        "({kind})",
        "à {person}",
        "envoyé par {channel}",
        "a été reçu (essais\xa0: {attempts})",
    ),
    "notification.failed": (
        "Le message",
        "({kind})",
        "à {person}",
        "n’a pu être remis",
        "par {channel}",
        "(essais\xa0: {attempts})\xa0: {reason}",
    ),
    **RECORDS,
}


BY_RULE: Mapping[tuple[str, str], tuple[Part, ...]] = {
    ("incident.recovered", "timeout"): (
        "{source} n’a plus rien signalé",
        "pendant {rule_of}",
        "ni annoncé de rétablissement\xa0: la panne est tenue pour finie",
        "(répétitions avant\xa0: {repeats})",
        ", à compter du {held_until}",
    ),
    ("handover.requested", "signature"): (
        "Transféré à la gestion des problèmes, équipe {team}",
        ", car le service {service} a dépassé",
        "le délai de rétablissement le {breached_at}",
        "\xa0; il rejoint {problem}, donc aucune réponse n’est attendue",
    ),
    ("handover.joined", "signature"): (
        "Il rejoint {problem}, qui a un incident de même nature",
    ),
    ("handover.joined", "service"): (
        "Le transfert attend la gestion des problèmes",
        "\xa0: relève-t-il de {problem}\xa0?",
    ),
    ("handover.service_requested", "downtime"): (
        "Le service {service} est transféré à la gestion des problèmes, équipe {team}",
        "\xa0; interrompu {downtime_seconds} de ses heures en {within_days} jours",
        "par {outages}",
        "\xa0; il relève de {problem}",
        "\xa0; il relève peut-être de l’un de ces problèmes\xa0: {proposed}",
        "\xa0; réponse attendue le {answer_by}",
    ),
    ("incident.linked", "signature"): (
        "Il est lié à {target}, qui a un incident de même nature",
    ),
    ("problem.incident_linked", "signature"): (
        "{incident} le rejoint, étant de même nature qu’un autre",
    ),
}
