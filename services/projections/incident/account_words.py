"""The words in which a promise explains itself, in English and French."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.wording.reader import Language


class Words(NamedTuple):
    """What may be said; `{…}` is a place for a value in words."""

    promised: str
    candidates: str
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
    targets: Mapping[str, str]
    because: Mapping[str, str]
    reasons: Mapping[str, str]


ENGLISH = Words(
    promised=(
        "Contract {contract} promises {target} within {seconds} of calendar "
        "{calendar} ({zone}), as version {policy} of the policy has it. "
        "It counts from {started}."
    ),
    candidates="It is the strictest of {candidates}.",
    counts="{span}: {seconds} count, {together} so far.",
    stands="{span}: nothing counts, {because}.",
    cut="(… and more windows of the same kind.)",
    together="Together: {seconds} of {promised}.",
    due="So it is due on {due}.",
    broken="So it was due on {due}, and was broken on {breached}.",
    late="It was done on {done}, {overrun} too late.",
    met="It was met on {ended}, with {left} left.",
    cancelled="It was cancelled on {ended}: {reason}.",
    standing="It stands: there is no due instant, and {left} are left.",
    targets={"tto": "TTO", "ttr": "TTR", "update": "the next update"},
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
    },
)
FRENCH = Words(
    promised=(
        "Le contrat {contract} promet {target} en {seconds} du calendrier "
        "{calendar} ({zone}), selon la version {policy} de la politique. "
        "Le décompte part du {started}."
    ),
    candidates="C’est le plus strict de {candidates}.",
    counts="{span} : {seconds} comptent, soit {together} en tout.",
    stands="{span} : rien ne compte, {because}.",
    cut="(… et d’autres plages du même genre.)",
    together="Ensemble : {seconds} sur {promised}.",
    due="L’échéance est donc le {due}.",
    broken="L’échéance était donc le {due}, et elle a été dépassée le {breached}.",
    late="Ce fut fait le {done}, avec {overrun} de retard.",
    met="La promesse a été tenue le {ended}, {left} avant le terme.",
    cancelled="Elle a été annulée le {ended} : {reason}.",
    standing="Le décompte est suspendu : pas d’échéance, il reste {left}.",
    targets={"tto": "la GTI", "ttr": "la GTR", "update": "la prochaine nouvelle"},
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
    },
)
WORDS: Mapping[Language, Words] = {"en": ENGLISH, "fr": FRENCH}
