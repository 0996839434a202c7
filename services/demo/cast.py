"""Who is who at Valmont: people of the desk and of support, users and their clients."""

from collections.abc import Mapping

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
}
SOURCES = ("prometheus", "zabbix", "boite")
