"""The people of Valmont: desk and support, users and their clients.

Also local instants of the day, in Paris time, and the checks of the demo: a sentence,
and whether it is true.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.messaging.commands import Scope

MAYOR = "mairie-valmont"
BOREALE = "boreale-logistique"
_PARIS, _MONTREAL = "Europe/Paris", "America/Montreal"


def _staff(id_: str, name: str) -> Mapping[str, str | None]:
    return {
        "id": id_,
        "name": name,
        "email": f"{id_}@permanence.example",
        "language": "fr",
        "zone": _PARIS,
    }


def _user(
    id_: str, name: str, client: str = MAYOR, zone: str = _PARIS, language: str = "fr"
) -> Mapping[str, str | None]:
    domain = "valmont" if client == MAYOR else "boreale"
    return {
        "id": id_,
        "name": name,
        "email": f"{id_}@{domain}.example",
        "language": language,
        "zone": zone,
        "client": client,
    }


PEOPLE = (
    _staff("nadia", "Nadia Belkacem"),
    _staff("paul", "Paul Renard"),
    _staff("amina", "Amina Diallo"),
    _staff("bruno", "Bruno Keller"),
    _staff("chloe", "Chloé Martin"),
    _staff("karim", "Karim Haddad"),
    _staff("helene", "Hélène Aubry"),
    _staff("sylvie", "Sylvie Morel"),
    _staff("ida", "Ida Vasseur"),
    _user("lefevre", "Mme Lefèvre"),
    _user("costa", "M. Costa", language="en"),
    _user("petit", "M. Petit"),
    _user("garnier", "Mme Garnier"),
    _user("fabre", "M. Fabre"),
    _user("marchand", "Mme Marchand"),
    _user("dubois", "M. Dubois"),
    _user("ndiaye", "Mme Ndiaye"),
    _user("roche", "M. Roche"),
    _user("leroy", "Mme Leroy"),
    _user("simon", "M. Simon"),
    _user("blanc", "Mme Blanc"),
    _user("tremblay", "Mme Tremblay", BOREALE, _MONTREAL),
)
STAFF: Mapping[str, tuple[Scope, ...]] = {
    "nadia": ("agent",),
    "paul": ("agent",),
    "amina": ("agent",),
    "bruno": ("agent",),
    "chloe": ("agent",),
    "karim": ("agent",),
    "helene": ("agent", "manager"),
    "sylvie": ("agent", "manager", "auditor", "admin"),
    "ida": ("auditor",),
}
ENTER_AS: Mapping[str, str] = {
    "nadia": "Nadia, agent at the desk",
    "amina": "Amina, second level",
    "sylvie": "Sylvie, the manager",
    "ida": "Ida, the auditor",
}
"""As whom one can enter the desk after the day."""
SOURCES = ("prometheus", "zabbix", "boite")


PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2025, 6, 30)
TUESDAY = date(2025, 7, 1)


def at(clock: str, day: date = MONDAY) -> datetime:
    """Return the instant of a local time of a day: `07:52` → 05:52 UTC."""
    written = f"{day.isoformat()}T{clock}"
    return datetime.fromisoformat(written).replace(tzinfo=PARIS).astimezone(UTC)


def shown(instant: datetime) -> str:
    """Return an instant for people: `Mon 07:52`, with seconds where there are some."""
    local = instant.astimezone(PARIS)
    return local.strftime("%a %H:%M:%S" if local.second else "%a %H:%M")


class Unseen(Exception):
    """Something that has to be visible is not: the demo ends here, with exit code 1."""


def see(sentence: str, holds: object, saw: object = None) -> None:
    """Raise `Unseen` unless it holds; `saw` is shown beside the sentence."""
    if not holds:
        beside = "" if saw is None else f": saw {saw!r}"
        raise Unseen(f"not so: {sentence}{beside}")


def same(sentence: str, saw: Any, wanted: Any) -> None:  # noqa: ANN401 any two values
    """Raise `Unseen` if two values differ."""
    if saw != wanted:
        raise Unseen(f"not so: {sentence}: saw {saw!r}, not {wanted!r}")
