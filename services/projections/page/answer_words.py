"""The words of the page on which users answer us, in each language."""

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "answer.title": "May we take longer?",
    "answer.asked": "For {incident}, “{title}”, we ask you to agree to a later time:",
    "answer.was": "We had promised",
    "answer.new": "We ask for",
    "answer.by": "Answer by",
    "answer.accept": "I agree",
    "answer.refuse": "I do not agree",
    "answer.proposed": "Until you agree, what we promised you stays as it is.",
    "answer.accepted": "You have agreed. Thank you: this is what we are held to now.",
    "answer.refused": "You have not agreed: what we promised you stays as it is.",
    "answer.expired": "Nobody answered in time: what we promised you stays as it is.",
    "no.unknown_link": "This link is not whole: open it from our letter, or answer the "
    "letter.",
    "no.state": "This was answered before, or the time for it is over.",
    "no.role": "It is no longer yours to answer: call the desk.",
}
FRENCH: Mapping[str, str] = {
    "answer.title": "Nous accordez-vous plus de temps\u00a0?",
    "answer.asked": "Pour {incident}, «\u00a0{title}\u00a0», nous vous demandons "
    "d’accepter une échéance plus tardive\u00a0:",
    "answer.was": "Nous avions promis",
    "answer.new": "Nous demandons",
    "answer.by": "Réponse avant",
    "answer.accept": "J’accepte",
    "answer.refuse": "Je n’accepte pas",
    "answer.proposed": "Sans votre accord, ce que nous avons promis ne change pas.",
    "answer.accepted": "Vous avez accepté. Merci\u00a0: c’est à cela que nous sommes "
    "tenus désormais.",
    "answer.refused": "Vous n’avez pas accepté\u00a0: ce que nous vous avons promis ne "
    "change pas.",
    "answer.expired": "Personne n’a répondu à temps\u00a0: ce que nous vous avons "
    "promis ne change pas.",
    "no.unknown_link": "Ce lien n’est pas entier\u00a0: ouvrez-le depuis notre "
    "courriel, ou répondez au courriel.",
    "no.state": "La réponse a déjà été donnée, ou le temps pour la donner est écoulé.",
    "no.role": "Ce n’est plus à vous de répondre\u00a0: appelez le centre de services.",
}
