"""The promises about an incident, as a list of lines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.i18n.formats import Language, duration_text, instant_text, typeset

Target = Literal["tto", "ttr", "update"]
StopsAt = Literal["restored", "resolved"]


@dataclass(frozen=True)
class Promise:
    """A target in working `seconds`, and when it is due.

    `due_at` is None while the clock is paused; it is not shown for `update`, which is
    periodic. `stops_at` is what fulfils the TTR.
    """

    target: Target
    seconds: int
    due_at: datetime | None = None
    stops_at: StopsAt = "restored"


_WHAT: Mapping[Language, Mapping[Target | StopsAt, str]] = {
    "fr": {
        "tto": "une personne prend l'incident en charge",
        "restored": "le service fonctionne de nouveau",
        "resolved": "l'incident est résolu",
    },
    "en": {
        "tto": "a person takes it on",
        "restored": "the service works again",
        "resolved": "it is resolved",
    },
}
_UNTIL: Mapping[Language, str] = {
    "fr": "- {what} : en {duration}, au plus tard le {due}",
    "en": "- {what}: within {duration}, by {due}",
}
_STANDING: Mapping[Language, str] = {
    "fr": "- {what} : en {duration} (ce délai est suspendu en ce moment)",
    "en": "- {what}: within {duration} (this time is suspended at present)",
}
_RHYTHM: Mapping[Language, str] = {
    "fr": "- vous ne restez pas plus de {duration} sans nouvelles de notre part",
    "en": "- you never go more than {duration} without news from us",
}


def promises_text(promises: Iterable[Promise], zone: str, language: Language) -> str:
    """Return one line for each promise."""
    return "\n".join(_line(promise, zone, language) for promise in promises)


def _line(promise: Promise, zone: str, language: Language) -> str:
    duration = duration_text(timedelta(seconds=promise.seconds), language)
    if promise.target == "update":
        return typeset(_RHYTHM[language], language).format(duration=duration)
    key = promise.stops_at if promise.target == "ttr" else promise.target
    what = typeset(_WHAT[language][key], language)
    if promise.due_at is None:
        text = typeset(_STANDING[language], language)
        return text.format(what=what, duration=duration)
    due = instant_text(promise.due_at, zone, language)
    text = typeset(_UNTIL[language], language)
    return text.format(what=what, duration=duration, due=due)
