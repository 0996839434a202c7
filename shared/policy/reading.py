"""The text of `permanence.yaml` as a policy, or all its mistakes with their lines."""

from shared import yaml12
from shared.mistake import Mistake, path_text
from shared.policy.checking import check
from shared.policy.document import Policy


def read(text: str) -> Policy | list[Mistake]:
    """Return the policy in `text`, YAML 1.2, or its mistakes by line."""
    written = yaml12.read(text)
    if isinstance(written, list):
        return written
    checked = check(written.value)
    if isinstance(checked, Policy):
        return checked
    mistakes = {
        Mistake(path_text(path), written.line(path), sentence)
        for path, sentence in checked
    }
    return sorted(mistakes, key=lambda each: (each.line or 0, each.path, each.sentence))
