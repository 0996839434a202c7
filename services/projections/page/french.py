"""What happened, in French; in the form of `services.projections.timeline.sentences`.

A part that begins with a no-break space stands after that space alone.
"""

from collections.abc import Mapping

from services.projections.timeline.sentences import Part

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
    ),
    "incident.contacted": (
        "{who} a noté un contact ({direction}, {channel}) avec {person}",
        "\xa0: «\xa0{words}\xa0»",
    ),
    "incident.classified": (
        "{who} l’a qualifié\xa0: service {service}, impact {impact}, urgence {urgency}",
        ", priorité {priority}",
        ("override", "fixée à la main"),
        ", catégorie {category}",
        ", client {client}",
        ", parce que\xa0: {reason}",
    ),
    "incident.assigned": ("{who} l’a confié à l’équipe {team}", ", à {assignee}"),
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
    ),
    "incident.resolved": ("{who} l’a résolu", "\xa0: {note}"),
    "incident.reopened": (
        "{who} l’a rouvert",
        ("after_closure", "après sa clôture"),
        "({cause}, cycle {cycle})",
        "\xa0: {reason}",
    ),
    "incident.closed": ("{who} l’a clos", "\xa0: {note}"),
    "incident.cancelled": ("{who} l’a annulé ({reason})", "\xa0: {note}"),
    "incident.signalled": (
        "{source} l’a signalé",
        "avec la gravité {severity}",
        "(répétitions\xa0: {repeats})",
    ),
    "incident.recovered": (
        "{source} a annoncé la fin de la panne",
        "(répétitions avant\xa0: {repeats})",
    ),
    "incident.source_acknowledged": ("Il a été acquitté chez {source}",),
    "incident.linked": ("{who} l’a lié à {target} ({relation})",),
    "incident.unlinked": ("{who} a retiré son lien avec {target} ({relation})",),
    "incident.merged": ("{who} l’a regroupé dans {into}",),
    "incident.absorbed": ("{who} y a regroupé {merged}",),
    "incident.unmerged": ("{who} l’a ressorti de {out_of}",),
    "incident.released": ("{who} en a ressorti {merged}",),
    "incident.split": ("{who} en a séparé {into}",),
}

NAMES = frozenset(
    {
        "cause",
        "channel",
        "direction",
        "impact",
        "reason",
        "relation",
        "severity",
        "urgency",
    }
)
"""Fields whose value is one of the desk's own names, to be put into French too."""
