"""What is proposed during a call, in which order, and why."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.projections.proposals import Candidate, Kind, ranked

NINE = datetime(2025, 6, 30, 7, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("incident", "workaround", "solution")


def candidate(
    ref: str, text: str, kind: Kind = "incident", **more: object
) -> Candidate:
    given: dict[str, object] = {"service": "paie", "at": NINE, **more}
    return Candidate(kind, ref, text=text, **given)  # type: ignore[arg-type] # by name


def refs(
    *candidates: Candidate, service: str | None = "paie", words: str = ""
) -> list[str]:
    return [each.candidate.ref for each in ranked(candidates, service, words, 10)]


def test_without_the_service_and_a_common_word_nothing_is_proposed() -> None:
    other = candidate("A", "The printer is on fire", service="print", is_outage=True)

    assert refs(other, words="My totals are wrong") == []
    assert refs(other, words="is on", service=None) == []  # too short to tell anything
    assert refs(other, words="Imprimante ou PRINTER ?", service=None) == ["A"]


def test_words_that_tell_nothing_are_not_in_common() -> None:
    other = candidate("A", "The scanner does not work for the desk", service="print")
    autre = candidate("B", "Le scanner ne marche pas pour une équipe", service="print")

    said = "The printer does it, for all of the team, c'est pour une autre équipe."
    assert refs(other, words=said, service=None) == []
    assert refs(autre, words="une imprimante ne va pas, pour nous", service=None) == []
    assert refs(other, autre, words="le scanner", service=None) == ["A", "B"]


def test_what_shares_more_words_comes_first_whatever_its_kind() -> None:
    vague = candidate("A", "Payroll is slow")
    exact = candidate("B", "Wrong totals: round them by hand", "workaround")

    assert refs(vague, exact, words="the totals are wrong, all totals") == ["B", "A"]


def test_a_known_outage_comes_before_any_note() -> None:
    note = candidate("A", "Empty the cache", "solution", uses=9)
    outage = candidate("B", "Payroll is down", is_outage=True, is_reported=True)

    (first, second) = ranked([note, outage], "paie", "", 10)
    assert first.because == ("service", "outage", "reported_by_others")
    assert second.because == ("service", "used")


def test_an_outage_that_everybody_calls_about_crowds_out_no_workaround() -> None:
    calls = [candidate(f"A{n}", "Payroll is down", is_outage=True) for n in range(9)]
    way = candidate("B", "Round by hand", "workaround")

    found = [each.candidate.ref for each in ranked([*calls, way], "paie", "", 4)]
    assert found == ["A0", "A1", "A2", "A3", "B"]


def test_equals_are_in_the_order_of_kinds_and_then_the_newest() -> None:
    older = candidate("A", "x")
    newer = candidate("B", "x", at=NINE + timedelta(hours=1))
    note = candidate("C", "x", "solution", at=NINE + timedelta(hours=2))

    assert refs(note, older, newer) == ["B", "A", "C"]


@given(
    st.lists(
        st.builds(
            Candidate,
            st.sampled_from(KINDS),
            st.text("AB", min_size=1, max_size=2),
            st.sampled_from(["paie", "print"]),
            st.text(max_size=12),
            st.just(NINE),
            st.booleans(),
            st.booleans(),
            st.integers(0, 3),
        )
    ),
    st.none() | st.just("paie"),
    st.text(max_size=12),
)
def test_every_proposal_has_a_reason_and_the_order_is_that_of_its_points(
    candidates: list[Candidate], service: str | None, words: str
) -> None:
    found = ranked(candidates, service, words, 5)

    kinds = [each.candidate.kind for each in found]
    assert all(kinds.count(kind) <= 5 for kind in KINDS)
    assert all({"service", "words"} & set(each.because) for each in found)
    points = [each.points for each in found]
    assert points == sorted(points, reverse=True)
    assert ranked(reversed(candidates), service, words, 5) == found or len(
        {(each.kind, each.ref) for each in candidates}
    ) < len(candidates)
