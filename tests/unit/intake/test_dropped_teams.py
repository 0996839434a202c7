"""What teams have that a policy drops, in words, and which teams may take it over."""

import pytest

from services.intake.policy.dropped_teams import not_yet_there, successors_in
from services.intake.policy.team_work import Work, counted, in_words
from tests.support.policies import full

POLICY = full()


def test_what_a_team_has_is_counted_and_the_first_of_it_named() -> None:
    one, *more = [f"INC-{number:06d}" for number in range(1, 5)]

    assert counted("incident", [one]) == "1 incident (INC-000001)"
    assert counted("incident", [one, *more]) == (
        "4 incidents (INC-000001, INC-000002, INC-000003, …)"
    )
    assert in_words(
        [Work("reseau", "incident", one), Work("reseau", "problem", "PRB-000001")]
    ) == ("1 incident (INC-000001) and 1 problem (PRB-000001)")


def test_each_team_has_one_successor_which_the_policy_has() -> None:
    written = ["reseau=exploitation", "ancien=accueil", "reseau=exploitation"]

    assert successors_in(written, POLICY) == {
        "reseau": "exploitation",
        "ancien": "accueil",
    }


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("reseau", "write OLD=NEW"),
        ("=accueil", "write OLD=NEW"),
        ("reseau=", "write OLD=NEW"),
        ("causes=accueil", "the policy has `causes`: leave this out"),
        ("reseau=fax", "the policy has no team `fax`"),
        ("ancien=accueil", "`ancien` is given twice"),
    ],
)
def test_what_cannot_be_a_successor_is_refused(written: str, why: str) -> None:
    refused = successors_in(["ancien=exploitation", written], POLICY)

    assert str(refused).startswith(f"--hand-over {written}: ")
    assert why in str(refused)


def test_a_successor_is_given_work_once_a_policy_in_force_has_it() -> None:
    renamed = {"causes": "probleme", "reseau": "accueil"}

    assert not_yet_there({"reseau": "accueil"}, POLICY) is None
    for in_force in (POLICY, None):
        why = not_yet_there(renamed, in_force)
        assert "no team `" in str(why)
        assert "`probleme`" in str(why)
        assert "apply a policy with both teams first" in str(why)
