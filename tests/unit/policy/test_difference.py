"""What changes between two policies, by path."""

from shared.domain.policy.document import difference
from shared.mistake import path_text
from tests.support.policies import full


def changes(*words: tuple[str, str]) -> list[tuple[str, str, object, object]]:
    found = difference(full().document(), full(*words).document())
    return [(path_text(c.path), c.kind, c.before, c.after) for c in found]


def test_a_changed_value_is_told_before_and_after() -> None:
    assert changes(("p2: 5h", "p2: 4h")) == [
        ("targets.or.ttr.p2", "changed", "5h", "4h")
    ]


def test_the_same_promise_in_other_words_is_no_change() -> None:
    assert changes(("close_after: 12h", "close_after: 720m")) == []


def test_what_is_added_and_removed_is_told_as_a_whole() -> None:
    added = changes(("  ping_pong: 3\n", ""), (", until: 2027-02-01", ""))
    assert added == [
        ("contracts.ville.until", "removed", "2027-02-01", None),
        ("escalation.ping_pong", "changed", 3, 2),
    ]


def test_a_step_of_a_list_is_told_by_its_place() -> None:
    (change,) = changes(("after: 25m", "after: 35m"))
    assert change == ("escalation.functional[2].after", "changed", "25m", "35m")


def test_a_list_of_another_length_is_told_whole() -> None:
    (change,) = changes(("[odette, wim]", "[odette, wim, ada]"))
    assert change[:2] == ("teams.accueil.members", "changed")
