"""Fields that hold a code, and what people say for it."""

from collections.abc import Mapping

from shared.wording.reader import Language

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
