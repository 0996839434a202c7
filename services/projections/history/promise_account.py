"""Explains a promise in sentences, in English and French: target, windows, end."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date

from shared.domain.sla import Explanation, State, is_operational
from shared.domain.working_time import Window
from shared.i18n.formats import Language, duration_text, instant_text, typeset


class Words(NamedTuple):
    """The templates of the sentences; `{…}` is replaced by a value."""

    promised: str
    owed: str
    """The same for what a support level owes the desk."""
    candidates: str
    extensions: Mapping[str, str]
    """By the state of an extension; `late`: accepted after the breach."""
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


_DAY = "EEEE d MMMM y"


def sentences(explained: Explanation, language: Language) -> list[str]:
    """Return the explanation of a promise; instants are in the calendar's time zone."""
    words = WORDS[language]
    said = [
        *_promised(explained, words, language),
        *_extensions(explained, words, language),
        *_windows(explained, words, language),
        *_end(explained, words, language),
        *_beside(explained, words, language),
    ]
    return [typeset(sentence, language) for sentence in said]


def _promised(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    clock = of.clock
    owed = is_operational(clock.name.target)
    yield (words.owed if owed else words.promised).format(
        contract=clock.contract,
        target=words.targets[clock.name.target],
        seconds=_duration(clock.original_seconds, language),
        calendar=clock.calendar,
        zone=of.zone,
        policy=clock.policy,
        started=instant_text(clock.started_at, of.zone, language),
    )
    if len(clock.candidates) > 1:
        yield words.candidates.format(candidates=", ".join(clock.candidates))


def _extensions(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    for each in of.clock.extensions:
        how = "late" if each.after_breach else each.state
        yield words.extensions[how].format(
            ref=each.ref,
            asked=instant_text(each.proposed_at, of.zone, language),
            until=instant_text(each.proposed_due_at, of.zone, language),
            answered=instant_text(
                each.answered_at or each.expires_at, of.zone, language
            ),
            who=each.answered_by,
        )


def _windows(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    for window in of.windows:
        span = _span(window, of.zone, language)
        if window.pause is None:
            yield words.counts.format(
                span=span,
                seconds=_duration(window.seconds, language),
                together=_duration(window.together, language),
            )
        else:
            why = of.stops[window.pause].why
            yield words.stands.format(span=span, because=words.because[why])
    if of.cut:
        yield words.cut
    yield words.together.format(
        seconds=_duration(of.seconds, language),
        promised=_duration(of.clock.seconds, language),
    )


def _end(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    clock = of.clock

    def at(instant: datetime) -> str:
        return instant_text(instant, of.zone, language)

    left = _duration(max(0, clock.seconds - of.seconds), language)
    if clock.breached_at and clock.due_at:
        yield words.broken.format(due=at(clock.due_at), breached=at(clock.breached_at))
        if clock.ended_at:
            overrun = _duration(clock.overrun_seconds or 0, language)
            yield words.late.format(done=at(clock.ended_at), overrun=overrun)
    elif clock.state is State.MET and clock.ended_at:
        yield words.met.format(ended=at(clock.ended_at), left=left)
    elif clock.state is State.CANCELLED and clock.ended_at:
        reason = words.reasons.get(clock.cancelled_for or "", clock.cancelled_for)
        yield words.cancelled.format(ended=at(clock.ended_at), reason=reason)
    elif clock.due_at:
        yield words.due.format(due=at(clock.due_at))
    else:
        yield words.standing.format(left=left)


def _beside(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    """Yield the sentences after the end: the contract's own target, the attribution."""
    original, said = of.original_due_at, of.clock.attributed
    if original is not None and original != of.clock.due_at:
        yield words.original.format(due=instant_text(original, of.zone, language))
    if said is not None:
        by, party = said.by.partition(":")[2], words.parties[said.party]
        at = instant_text(said.at, of.zone, language)
        yield words.whose.format(party=party, by=by, at=at)


def _span(window: Window, zone: str, language: Language) -> str:
    """Return a window as its day and times, or with both days if it spans two."""
    begins, ends = (
        instant.astimezone(ZoneInfo(zone)) for instant in (window.begins, window.ends)
    )
    last = (ends - timedelta(microseconds=1)).date()
    first = f"{_day(begins, language)} {_time(begins)}"
    if begins.date() == last:
        return f"{first}–{'24:00' if last != ends.date() else _time(ends)}"
    return f"{first} – {_day(ends, language)} {_time(ends)}"


def _day(local: datetime, language: Language) -> str:
    said = format_date(local, _DAY, locale=language)
    return said.replace(" 1 ", " 1er ", 1) if language == "fr" else said


def _time(local: datetime) -> str:
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _duration(seconds: int, language: Language) -> str:
    return duration_text(timedelta(seconds=seconds), language)
