"""Message templates for staff, in French."""

from collections.abc import Mapping

from shared.i18n.notice_kinds import StaffKind
from shared.i18n.template import Paragraph, Template

_WORDS = (
    ("words", "{author}"),
    "{words}",
)


def _alarm(subject: str, first: str, *lines: Paragraph) -> Template:
    return Template(
        subject,
        (
            first,
            "- Service : {service}",
            "- Priorité : {priority}",
            "- Équipe : {team}",
            *lines,
            "- Constaté seulement le {detected_at}",
            "L'incident : {url}",
            "L'incident reste au centre de services ; ce message ne déplace rien.",
        ),
    )


_CONSUMED = "- Déjà consommé : {percent} % du temps promis"
_LEFT = "- Reste : {left} de temps de service"
_LATE = "- Depuis l'échéance : {late} de temps de service"
_DUE = "- Échéance : {due_at}"
_OVERRUN = "- Dépassement : {overrun} de temps de service"

TEMPLATES: Mapping[StaffKind, Template] = {
    "page": Template(
        "{priority} : on a besoin de vous : {title}",
        (
            "L'incident {incident}, « {title} », attend quelqu'un au niveau {level}.",
            "- Service : {service}",
            "- Priorité : {priority}",
            *_WORDS,
            ("promises", "Ce qui a été promis :"),
            "{promises}",
            "Pourquoi vous :",
            "- {who} « {via} »",
            ("nobody_on_call", "- personne n'était d'astreinte à cet instant"),
            "- étape {step} du niveau {level}, politique version {policy}",
            "- prévue {after} après l'arrivée à ce niveau",
            ("again", "- nouvel essai : personne n'a encore accepté"),
            "L'incident : {url}",
            (
                "Acceptez {incident} au centre de services, pour que personne d'autre "
                "ne soit appelé."
            ),
            "Sans réponse avant le {answer_by}, nous continuons à chercher quelqu'un.",
        ),
    ),
    "tto_warning": _alarm(
        "Prise en charge bientôt en retard : {title}",
        "Personne n'a encore pris en charge l'incident {incident}, « {title} » "
        "(alerte du {at}).",
        _CONSUMED,
        _LEFT,
        _DUE,
    ),
    "tto_late": _alarm(
        "Toujours pas pris en charge : {title}",
        "L'incident {incident}, « {title} », est en retard ; le {at}, personne ne "
        "l'avait pris en charge.",
        _CONSUMED,
        _LATE,
        _DUE,
    ),
    "tto_breach": _alarm(
        "Prise en charge en retard : {title}",
        "Personne n'avait pris en charge l'incident {incident}, « {title} », à "
        "l'échéance promise. Le délai est dépassé depuis le {at}.",
        _DUE,
        _OVERRUN,
    ),
    "ttr_warning": _alarm(
        "Délai de résolution bientôt atteint : {title}",
        "Le délai de résolution de l'incident {incident}, « {title} », est bientôt "
        "atteint (alerte du {at}).",
        _CONSUMED,
        _LEFT,
        _DUE,
    ),
    "ttr_late": _alarm(
        "En retard, et toujours pas résolu : {title}",
        "L'incident {incident}, « {title} », est en retard ; le {at}, il n'était pas "
        "résolu.",
        _CONSUMED,
        _LATE,
        _DUE,
    ),
    "ttr_breach": _alarm(
        "Délai de résolution dépassé : {title}",
        "Le délai de résolution de l'incident {incident}, « {title} », est dépassé "
        "depuis le {at}.",
        _DUE,
        _OVERRUN,
    ),
    "ping_pong": _alarm(
        "Un incident fait la navette : {title}",
        "L'incident {incident}, « {title} », est revenu à une équipe qui l'avait "
        "déjà eu, le {at}.",
        "- Retours : {returns}",
        _DUE,
    ),
    "handover": Template(
        "Délai dépassé, cause à rechercher : {title}",
        (
            (
                "L'incident {incident}, « {title} », a dépassé son délai de résolution "
                "le {breached_at}. Nous vous en confions la cause ; l'incident reste "
                "au centre de services."
            ),
            "- Service : {service}",
            "- Priorité : {priority}",
            _OVERRUN,
            "- Rattaché au problème ouvert de ce service, à confirmer : {presumed}",
            "- Problèmes ouverts qui correspondent : {proposed}",
            *_WORDS,
            "L'incident : {url}",
            (
                "presumed",
                "Pour confirmer, rattachez-le à ce problème.",
            ),
            (
                "asks",
                (
                    "Acceptez-le, rattachez-le à un problème connu, ou refusez-le "
                    "avec une raison."
                ),
            ),
            ("asks", "Réponse attendue avant le {answer_by}."),
        ),
    ),
    "handover_joined": Template(
        "Délai dépassé, problème connu : {title}",
        (
            (
                "L'incident {incident}, « {title} », a dépassé son délai de résolution "
                "le {breached_at}. Il relève de {problem}, qui est ouvert ; l'incident "
                "reste au centre de services."
            ),
            "- Service : {service}",
            "- Priorité : {priority}",
            _OVERRUN,
            *_WORDS,
            "L'incident : {url}",
            (
                "Aucune réponse n'est attendue. Si la cause est autre, supprimez son "
                "lien avec {problem}."
            ),
        ),
    ),
    "service_handover": Template(
        "Budget épuisé, cause à rechercher : {service}",
        (
            (
                "Le service {service} a épuisé son budget de dépassements le "
                "{crossed_at} : {breaches} en {within_days} jours. Nous vous confions "
                "le service ; ses incidents restent au centre de services."
            ),
            (
                "Le service {service} a épuisé son budget d'interruption le "
                "{crossed_at} : {downtime} en {within_days} jours, aux heures de son "
                "contrat. Nous vous confions le service ; ses incidents restent au "
                "centre de services."
            ),
            "- Incidents : {which}",
            _OVERRUN,
            "- Rattaché au problème ouvert : {problem}",
            "- Problèmes ouverts de ce service : {proposed}",
            "Le dernier incident : {url}",
            (
                "asks",
                "Acceptez-le, rattachez-le à un problème, ou refusez avec une raison.",
            ),
            ("asks", "Réponse attendue avant le {answer_by}."),
        ),
    ),
    "routed": Template(
        "Pour votre équipe, {record} : {title}",
        (
            (
                "{by} a confié le problème {problem}, « {title} », à l'équipe {team} : "
                "merci d'en rechercher la cause."
            ),
            (
                "{by} a confié le changement {change}, « {title} », à l'équipe "
                "{team} : merci de le réaliser."
            ),
            "- Service : {service}",
            "Ses incidents :\n\n{incidents}",
            "Incidents plus anciens, non listés ici : {more}.",
            "Les incidents restent au centre de services.",
        ),
    ),
    "suggestion": Template(
        "Panne récurrente, peut-être un problème : {title}",
        (
            (
                "{incident}, « {title} », est l'un de plusieurs incidents de même "
                "nature en {within_days} jours. Ils ont peut-être une même cause."
            ),
            "- Service : {service}",
            "- Incidents : {which}",
            "Comment certains ont été résolus :\n\n{solutions}",
            "Voir le dernier : {url}",
            (
                "Identifiez un problème et rattachez-les-lui, ou ne faites rien : "
                "aucune réponse n'est attendue."
            ),
        ),
    ),
    "update_due": Template(
        "L'utilisateur attend des nouvelles : {title}",
        (
            (
                "L'utilisateur de l'incident {incident}, « {title} », devait avoir de "
                "vos nouvelles avant le {due_at}."
            ),
            "- Service : {service}",
            "- Priorité : {priority}",
            "- Promis : pas plus de {promised} sans nouvelles",
            "- Dernières nouvelles : {last_told_at}",
            "L'incident : {url}",
            "Informez-le, même s'il n'y a rien de neuf.",
        ),
    ),
}
