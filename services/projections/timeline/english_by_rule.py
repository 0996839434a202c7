"""What is said otherwise in English where a certain rule decided it."""

from collections.abc import Mapping

from services.projections.timeline.sentence_parts import Part

BY_RULE: Mapping[tuple[str, str], tuple[Part, ...]] = {
    ("incident.recovered", "timeout"): (
        "{source} signalled nothing more",
        "for {rule_of}",
        "and never told of a recovery: it counts as recovered",
        "(repeats before: {repeats})",
        ", as of {held_until}",
    ),
    ("handover.joined", "signature"): (
        "It joined {problem}, which has an incident of the same kind",
    ),
    ("handover.joined", "service"): (
        "It joined {problem}, open for the same service: to be confirmed",
    ),
    ("handover.service_requested", "downtime"): (
        "Service {service} was handed to Problem Management, team {team}",
        ", down for {downtime_seconds} of its hours within {within_days} days",
        "by {outages}",
        "; it is part of {problem}",
        "; it may be part of one of {proposed}",
        "; an answer is due {answer_by}",
    ),
    ("incident.linked", "signature"): (
        "It was linked to {target}, which has an incident of the same kind",
    ),
    ("problem.incident_linked", "signature"): (
        "{incident} joined it, being of the same kind as one it has",
    ),
}
