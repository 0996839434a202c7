"""Maps the severities of other systems to ours."""

from collections.abc import Mapping

from services.intake.signals.formats.elements.fields import text
from shared.domain.policy.priorities import Severity

_USUAL: Mapping[str, Severity] = {
    "disaster": "critical",
    "emergency": "critical",
    "emerg": "critical",
    "fatal": "critical",
    "critical": "critical",
    "crit": "critical",
    "p1": "critical",
    "sev0": "critical",
    "error": "error",
    "err": "error",
    "major": "error",
    "high": "error",
    "p2": "error",
    "sev1": "error",
    "warning": "warning",
    "warn": "warning",
    "minor": "warning",
    "medium": "warning",
    "moderate": "warning",
    "p3": "warning",
    "sev2": "warning",
    "information": "info",
    "informational": "info",
    "info": "info",
    "notice": "info",
    "low": "info",
    "debug": "info",
    "p4": "info",
    "p5": "info",
    "sev3": "info",
    "sev4": "info",
}
"""Words that mean the same in every system; plain numbers are not among them."""


def severity_of(
    said: object, own: Mapping[str, Severity | None] | None = None
) -> Severity | None:
    """Return the severity that a word means, or None if it is unknown.

    `own` maps the words of the system, in lower case, and takes precedence over the
    common words. None is not an error: the policy defines what a missing severity
    counts as.
    """
    word = (text(said) or "").lower()
    if own is not None and word in own:
        return own[word]
    return _USUAL.get(word)
