"""What holds for every policy, and for every text that may not be one."""

import copy
import io
import json
from datetime import date
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from shared.domain.policy.document import Change, Policy, difference
from shared.domain.policy.priorities import Severity
from shared.domain.policy.public_holidays import expand
from shared.domain.policy.validation import check, read
from shared.mistake import Mistake
from tests.support.policies import FULL
from tests.support.strategies.policies import Document, documents

severities: list[Severity] = ["critical", "error", "warning", "info"]


def policy_of(document: Document) -> Policy:
    policy = check(document)
    assert isinstance(policy, Policy), policy
    return policy


def changed(before: Any, changes: list[Change]) -> Any:
    """Carry `changes` out on a copy of `before`."""
    after = copy.deepcopy(before)
    for change in changes:
        here = after
        for step in change.path[:-1]:
            here = here[step]
        if change.kind == "removed":
            del here[change.path[-1]]
        else:
            here[change.path[-1]] = change.after
    return after


@given(documents)
def test_a_policy_is_the_same_after_the_log_has_kept_it(document: Document) -> None:
    policy = expand(policy_of(document), date(2025, 7, 1))
    kept = json.loads(json.dumps(policy.document()))
    assert Policy.from_document(kept) == policy
    assert Policy.from_document(kept).document() == policy.document()
    assert check(kept) == policy


@given(documents)
def test_a_policy_is_the_same_written_as_yaml(document: Document) -> None:
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(json.loads(json.dumps(document)), stream)
    assert read(stream.getvalue()) == policy_of(document)


@given(documents)
def test_a_policy_does_not_differ_from_itself(document: Document) -> None:
    policy = policy_of(document)
    assert difference(policy.document(), policy.document()) == []


@given(documents, documents)
def test_the_difference_carried_out_gives_the_other(
    one: Document, other: Document
) -> None:
    before, after = policy_of(one).document(), policy_of(other).document()
    assert changed(before, difference(before, after)) == after


@given(documents, st.sampled_from(severities), st.text(max_size=5))
def test_every_signal_is_classified_under_a_service_there_is(
    document: Document, severity: Severity, word: str
) -> None:
    policy = policy_of(document)
    for source in (*policy.sources, word):
        for service in (*policy.services, word, None):
            found = policy.for_signal(source, service, severity, {"app": word})
            assert found.impact == policy.services[found.service].criticality
            assert found.priority == policy.priority(found.impact, found.urgency)


@given(st.integers(0, len(FULL) - 1), st.integers(0, 40), st.text(max_size=8))
@example(0, 0, "\ufeff")
def test_a_damaged_policy_is_taken_or_refused_with_sentences(
    at: int, length: int, words: str
) -> None:
    found = read(FULL[:at] + words + FULL[at + length :])
    assert isinstance(found, Policy) or told(found)


@given(st.text(st.characters(), max_size=60))
@example("a: &a [*a]")
@example("{? : }")
def test_any_text_at_all_is_refused_with_sentences(text: str) -> None:
    found = read(text)
    assert not isinstance(found, Policy)
    assert told(found)


def told(mistakes: list[Mistake]) -> bool:
    return bool(mistakes) and all(each.sentence for each in mistakes)
