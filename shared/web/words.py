"""The texts for errors that any page can have, in each language.

Other errors are shown with the sentence of the API, which is in English.
"""

from collections.abc import Mapping

from shared.i18n.formats import Language

REFUSALS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "no.too_many_reports": "Too many reports came from here: wait, or call us.",
        "no.owner_away": "We cannot take it at the moment: send it again in a minute.",
        "no.unanswered": "We do not know whether we have it: send it again. It is "
        "counted once.",
    },
    "fr": {
        "no.too_many_reports": "Trop de signalements viennent d’ici\u00a0: attendez, "
        "ou appelez-nous.",
        "no.owner_away": "Nous ne pouvons pas le prendre à l’instant\u00a0: "
        "renvoyez-le dans une minute.",
        "no.unanswered": "Nous ne savons pas si nous l’avons\u00a0: renvoyez-le. Il "
        "compte une fois.",
        "no.overloaded": "Trop de demandes à la fois : revenez dans un moment.",
        "no.log_away": "Le journal est injoignable : revenez dans un moment.",
        "no.log_not_continued": "Le journal a été restauré : revenez plus tard.",
        "no.record_unreadable": (
            "Ce dossier est momentanément illisible : rien n’a été enregistré, "
            "revenez dans un moment."
        ),
        "no.log_silent": "Le journal ne répond pas : revenez dans un moment.",
    },
}
