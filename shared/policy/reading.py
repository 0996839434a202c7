"""The text of `permanence.yaml` as a policy, or all its mistakes with their lines."""

from collections.abc import Iterable

from shared import yaml12
from shared.mistake import Mistake, Wrong, path_text
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
    return _placed(written, checked)


def placed(text: str, wrong: Iterable[Wrong]) -> list[Mistake]:
    """Return what is wrong with the policy in `text` with the lines of it."""
    written = yaml12.read(text)
    return written if isinstance(written, list) else _placed(written, wrong)


def _placed(written: yaml12.Written, wrong: Iterable[Wrong]) -> list[Mistake]:
    mistakes = {
        Mistake(path_text(path), written.line(path), sentence)
        for path, sentence in wrong
    }
    return sorted(mistakes, key=lambda each: (each.line or 0, each.path, each.sentence))
