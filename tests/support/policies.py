"""Policies for tests: a full one, and how to change a word of it."""

from pathlib import Path

from shared.domain.policy.document import Policy
from shared.domain.policy.validation import read
from shared.mistake import Mistake

FULL_FILE = Path(__file__).with_name("permanence.full.yaml")
FULL = FULL_FILE.read_text(encoding="utf-8")


def full(*changes: tuple[str, str]) -> Policy:
    """Return the full policy with some of its words replaced."""
    policy = read(full_text(*changes))
    assert isinstance(policy, Policy), [str(each) for each in policy]
    return policy


def full_text(*changes: tuple[str, str]) -> str:
    """Return the text of the full policy with some of its words replaced."""
    text = FULL
    for before, after in changes:
        assert text.count(before) == 1, (
            f"{before!r} is there {text.count(before)} times"
        )
        text = text.replace(before, after)
    return text


def mistakes(*changes: tuple[str, str]) -> list[Mistake]:
    """Return what is wrong with the full policy, changed like this."""
    found = read(full_text(*changes))
    assert isinstance(found, list), "the policy was taken"
    return found
