"""Which open problem a late incident joins: one that matches alone, else none."""

import pytest

from services.escalation.rules.context import OpenProblems
from services.escalation.rules.handover import Matching, matching

A, B, C = "PRB-000001", "PRB-000002", "PRB-000003"


@pytest.mark.parametrize(
    ("of_signature", "of_service", "found"),
    [
        ((), (), Matching()),
        ((A,), (), Matching(A, "signature")),
        ((), (A,), Matching(A, "service")),
        ((A,), (A, B, C), Matching(A, "signature")),
        ((), (A, B), Matching(proposed=(A, B))),
        ((A, B), (C,), Matching(proposed=(A, B))),
    ],
)
def test_the_signature_counts_first_and_several_are_only_proposed(
    of_signature: tuple[str, ...], of_service: tuple[str, ...], found: Matching
) -> None:
    assert matching(OpenProblems(of_signature, of_service), "paie", ()) == found


def test_what_it_was_taken_out_of_it_does_not_join_again() -> None:
    assert matching(OpenProblems((A,), (A, B)), "paie", (A,)) == Matching(B, "service")
    assert matching(OpenProblems((), (A, B)), "paie", (A, B)) == Matching()


def test_nobody_knowing_the_service_is_nothing_in_common() -> None:
    assert matching(OpenProblems((), (A,)), "unknown", ()) == Matching()
    assert matching(OpenProblems((A,), ()), "unknown", ()).matched == "signature"
