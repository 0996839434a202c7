"""The words in which a promise explains itself, in English and French."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.i18n.formats import Language


class Words(NamedTuple):
    """What may be said; `{…}` is a place for a value in words."""

    promised: str
    owed: str
    """The same of what a support level owes the desk."""
    candidates: str
    extensions: Mapping[str, str]
    """By how a longer delay stands; `late`: accepted after the breach."""
    counts: str
    stands: str
    cut: str
    together: str
    due: str
    broken: str
    late: str
    met: str
    cancelled: str
    standing: str
    original: str
    whose: str
    parties: Mapping[str, str]
    targets: Mapping[str, str]
    because: Mapping[str, str]
    reasons: Mapping[str, str]


ENGLISH = Words(
    promised=(
        "Contract {contract} promises {target} within {seconds} of calendar "
        "{calendar} ({zone}), as version {policy} of the policy has it. "
        "It counts from {started}."
    ),
    owed=(
        "Beside contract {contract} it is agreed within the house {target}, within "
        "{seconds} of calendar {calendar} ({zone}), as version {policy} of the policy "
        "has it. It counts from {started}."
    ),
    candidates="It is the strictest of {candidates}.",
    extensions={
        "proposed": (
            "Extension {ref}: since {asked} it is asked whether it may take until "
            "{until}. Nobody has agreed, and nothing has changed."
        ),
        "accepted": "Extension {ref}: on {answered}, {who} agreed to {until}.",
        "late": (
            "Extension {ref}: on {answered}, {who} agreed to {until}. It was broken "
            "already, and the breach stays."
        ),
        "refused": "Extension {ref}: on {answered}, {who} did not agree to {until}.",
        "expired": "Extension {ref}: nobody had agreed to {until} by {answered}.",
    },
    counts="{span}: {seconds} on the clock, {together} so far.",
    stands="{span}: nothing counts, {because}.",
    cut="(… and more windows of the same kind.)",
    together="Together: {seconds} of {promised}.",
    due="So it is due on {due}.",
    broken="So it was due on {due}, and was broken on {breached}.",
    late="It was done on {done}, {overrun} too late.",
    met="It was met on {ended}, with {left} left.",
    cancelled="It was cancelled on {ended}: {reason}.",
    standing="It stands: there is no due instant, with {left} left.",
    original="By the contract alone it would have been due on {due}.",
    whose="The breach is {party}: {by} said so on {at}.",
    parties={"user": "the user’s", "vendor": "a vendor’s", "provider": "ours"},
    targets={
        "tto": "TTO",
        "ttr": "TTR",
        "update": "the next update",
        "ola_n1_own": "that N1 has taken it on",
        "ola_n1_work": "that N1 is done with it",
        "ola_n2_own": "that N2 has taken it on",
        "ola_n2_work": "that N2 is done with it",
        "ola_n3_own": "that N3 has taken it on",
        "ola_n3_work": "that N3 is done with it",
    },
    because={
        "user": "since we wait for the user",
        "vendor": "since we wait for a vendor",
        "change": "since we wait for a change",
        "problem": "since we wait for a problem to be solved",
        "over": "since the trouble was taken to be over",
    },
    reasons={
        "recovered": "service came back by itself",
        "cancelled": "the incident was cancelled",
        "merged": "the incident was merged into another one",
        "no_contract": "no contract covers it any more",
        "escalated": "it went to the next level before anybody there took it on",
    },
)
FRENCH = Words(
    promised=(
        "Le contrat {contract} promet {target} en {seconds} du calendrier "
        "{calendar} ({zone}), selon la version {policy} de la politique. "
        "Le décompte part du {started}."
    ),
    owed=(
        "À côté du contrat {contract}, il est convenu en interne {target} en "
        "{seconds} du calendrier {calendar} ({zone}), selon la version {policy} de la "
        "politique. Le décompte part du {started}."
    ),
    candidates="C’est le plus strict de {candidates}.",
    extensions={
        "proposed": (
            "Prolongation {ref} : depuis le {asked}, il est demandé d’aller jusqu’au "
            "{until}. Personne ne l’a accepté, et rien n’a changé."
        ),
        "accepted": (
            "Prolongation {ref} : le {answered}, {who} a accepté d’aller jusqu’au "
            "{until}."
        ),
        "late": (
            "Prolongation {ref} : le {answered}, {who} a accepté d’aller jusqu’au "
            "{until}. Le délai était déjà dépassé, et le dépassement demeure."
        ),
        "refused": (
            "Prolongation {ref} : le {answered}, {who} a refusé d’aller jusqu’au "
            "{until}."
        ),
        "expired": (
            "Prolongation {ref} : le {answered}, personne n’avait accepté d’aller "
            "jusqu’au {until}."
        ),
    },
    counts="{span} : {seconds} au décompte, soit {together} en tout.",
    stands="{span} : rien ne compte, {because}.",
    cut="(… et d’autres plages du même genre.)",
    together="Ensemble : {seconds} sur {promised}.",
    due="L’échéance est donc le {due}.",
    broken="L’échéance était donc le {due}, et elle a été dépassée le {breached}.",
    late="Ce fut fait le {done}, avec {overrun} de retard.",
    met="La promesse a été tenue le {ended}, {left} avant le terme.",
    cancelled="Elle a été annulée le {ended} : {reason}.",
    standing="Le décompte est suspendu : pas d’échéance, il reste {left}.",
    original="Par le contrat seul, l’échéance aurait été le {due}.",
    whose="Le dépassement est {party} : {by} l’a dit le {at}.",
    parties={
        "user": "du fait de l’utilisateur",
        "vendor": "du fait d’un fournisseur",
        "provider": "de notre fait",
    },
    targets={
        "tto": "la GTI",
        "ttr": "la GTR",
        "update": "la prochaine nouvelle",
        "ola_n1_own": "la prise en charge par N1",
        "ola_n1_work": "la fin du travail de N1",
        "ola_n2_own": "la prise en charge par N2",
        "ola_n2_work": "la fin du travail de N2",
        "ola_n3_own": "la prise en charge par N3",
        "ola_n3_work": "la fin du travail de N3",
    },
    because={
        "user": "car nous attendons l’utilisateur",
        "vendor": "car nous attendons un fournisseur",
        "change": "car nous attendons un changement",
        "problem": "car nous attendons la résolution d’un problème",
        "over": "car la panne semblait terminée",
    },
    reasons={
        "recovered": "le service est revenu de lui-même",
        "cancelled": "l’incident a été annulé",
        "merged": "l’incident a été fusionné avec un autre",
        "no_contract": "aucun contrat ne le couvre plus",
        "escalated": "il est parti au niveau suivant avant d’y être pris en charge",
    },
)
WORDS: Mapping[Language, Words] = {"en": ENGLISH, "fr": FRENCH}
