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
    ("incident.linked", "signature"): (
        "Il est lié à {target}, qui a un incident de même nature",
    ),
    ("problem.incident_linked", "signature"): (
        "{incident} le rejoint, étant de même nature qu’un autre",
    ),
}
