"""The texts of the form, for people outside the desk, in each language."""

from collections.abc import Mapping

from shared.i18n.formats import Language
from shared.web.words import REFUSALS

_ENGLISH: Mapping[str, str] = {
    "report.title": "Report a problem",
    "report.why": "Tell us what does not work. You get a reference and a letter.",
    "report.email": "Your e-mail address",
    "report.email_hint": "We write to you there, and nowhere else.",
    "report.service": "What is it about?",
    "report.service_unknown": "I do not know",
    "report.words": "What happens?",
    "report.words_hint": "In your own words: they stay as you write them.",
    "report.send": "Send",
    "report.trap": "Leave this field empty",
    "report.trapped": "The last field is to stay empty: empty it and send again.",
    "report.done": "We have it",
    "report.reference": "Your reference",
    "report.promises": "What the desk promises for this service:",
    "report.tto": "somebody takes it on by",
    "report.ttr": "it works again by",
    "report.letter": "A letter is on its way to {email}: it says what is promised to "
    "you. Answer it, and we read what you write.",
    "report.again": "Report something else",
    "no.report_key": "This form was sent before with something else in it, and that "
    "was taken. Send it again if this is another report.",
    "no.no_form": "This desk takes no reports here.",
    "no.email": "Write your address as zoe@example.org.",
    "no.words": "Say what happens, in no more than 10 000 characters.",
    "no.report": "Something is missing or too long: look at it once more.",
}
_FRENCH: Mapping[str, str] = {
    "report.title": "Signaler un problème",
    "report.why": "Dites-nous ce qui ne marche pas. Vous recevez une référence et un "
    "courriel.",
    "report.email": "Votre adresse de courriel",
    "report.email_hint": "Nous vous écrivons là, et nulle part ailleurs.",
    "report.service": "De quoi s’agit-il\u00a0?",
    "report.service_unknown": "Je ne sais pas",
    "report.words": "Que se passe-t-il\u00a0?",
    "report.words_hint": "Avec vos mots\u00a0: ils restent comme vous les écrivez.",
    "report.send": "Envoyer",
    "report.trap": "Laissez ce champ vide",
    "report.trapped": "Le dernier champ doit rester vide\u00a0: videz-le et renvoyez.",
    "report.done": "C’est noté",
    "report.reference": "Votre référence",
    "report.promises": "Ce que le centre de services promet pour ce service\u00a0:",
    "report.tto": "quelqu’un s’en charge au plus tard",
    "report.ttr": "cela remarche au plus tard",
    "report.letter": "Un courriel part vers {email}\u00a0: il dit ce qui vous est "
    "promis. Répondez-y, et nous lisons ce que vous écrivez.",
    "report.again": "Signaler autre chose",
    "no.report_key": "Ce formulaire a déjà été envoyé avec un autre contenu, qui est "
    "noté. Renvoyez-le s’il s’agit d’un autre signalement.",
    "no.no_form": "Ce centre de services ne prend pas de signalements ici.",
    "no.email": "Écrivez votre adresse comme zoe@example.org.",
    "no.words": "Dites ce qui se passe, en 10\u00a0000 caractères au plus.",
    "no.report": "Il manque quelque chose, ou c’est trop long\u00a0: regardez encore "
    "une fois.",
}
WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {**REFUSALS["en"], **_ENGLISH},
    "fr": {**REFUSALS["fr"], **_FRENCH},
}
