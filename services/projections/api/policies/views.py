"""Consequences of a change of the policy, in the words of a language."""

from services.projections.policies.rules import Consequence, StepShape, Target
from shared.i18n.catalog import Language, text_of

_SENTENCES = "policy.consequence"
_TARGETS = "policy.target"
_TRIGGERS = "policy.trigger"


def sentence(consequence: Consequence, language: Language) -> str:
    """Return a consequence as a sentence."""
    shapes = {"old": consequence.before, "new": consequence.after}
    said = {name: _step(shape, language) for name, shape in shapes.items() if shape}
    text = text_of(language, _SENTENCES, consequence.name)
    return text.format_map({"old": "", "new": "", **said, **consequence.places})


def _step(shape: StepShape, language: Language) -> str:
    """Return for what, after how long and whom a step pages."""
    targets = ", ".join(_target(each, language) for each in shape.targets)
    wanted = (_trigger(each, language) for each in shape.priorities)
    said = (", ".join(wanted), shape.after, targets)
    return " · ".join(each for each in said if each)


def _trigger(name: str, language: Language) -> str:
    text = text_of(language, _TRIGGERS, name)
    return name.upper() if text == name else text


def _target(target: Target, language: Language) -> str:
    name = target.kind if target.name else f"{target.kind}/own"
    return text_of(language, _TARGETS, name).format(name=target.name)
