"""What is said otherwise in French where a certain rule decided it."""

from collections.abc import Mapping

from services.projections.timeline.sentence_parts import Part

BY_RULE: Mapping[tuple[str, str], tuple[Part, ...]] = {
    ("incident.recovered", "timeout"): (
        "{source} n’a plus rien signalé",
        "pendant {rule_of}",
        "ni annoncé de rétablissement\xa0: la panne est tenue pour finie",
        "(répétitions avant\xa0: {repeats})",
        ", à compter du {held_until}",
    ),
    ("handover.joined", "signature"): (
        "Il rejoint {problem}, qui a un incident de même nature",
    ),
    ("handover.joined", "service"): (
        "Il rejoint {problem}, ouvert pour le même service\xa0: à confirmer",
    ),
    ("handover.service_requested", "downtime"): (
        "Le service {service} est transféré à la gestion des problèmes, équipe {team}",
        "\xa0; interrompu {downtime_seconds} de ses heures en {within_days} jours",
        "par {outages}",
        "\xa0; il relève de {problem}",
        "\xa0; il relève peut-être de l’un de ces problèmes\xa0: {proposed}",
        "\xa0; réponse attendue le {answer_by}",
    ),
    ("incident.linked", "signature"): (
        "Il est lié à {target}, qui a un incident de même nature",
    ),
    ("problem.incident_linked", "signature"): (
        "{incident} le rejoint, étant de même nature qu’un autre",
    ),
}
