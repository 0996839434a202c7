"""A sample follows from the seed and the population, and from nothing else."""

from collections import Counter
from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.projections.audit.rules import rank, sample

SEEDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
POPULATIONS = st.sets(
    st.integers(1, 10**9).map(lambda number: f"INC-{number:06}"), max_size=60
)


@given(SEEDS, POPULATIONS, st.integers(1, 80), st.randoms())
def test_the_order_in_which_the_population_is_read_does_not_matter(
    seed: str, population: set[str], size: int, random: Random
) -> None:
    shuffled = sorted(population)
    random.shuffle(shuffled)

    assert sample(seed, shuffled, size) == sample(seed, sorted(population), size)


@given(SEEDS, POPULATIONS, st.integers(1, 80))
def test_it_has_no_incident_twice_and_all_are_of_the_population(
    seed: str, population: set[str], size: int
) -> None:
    drawn = [each.incident for each in sample(seed, [*population] * 2, size)]

    assert len(drawn) == len(set(drawn)) == min(size, len(population))
    assert set(drawn) <= population


@given(SEEDS, POPULATIONS, st.integers(1, 40), st.integers(1, 40))
def test_a_larger_sample_begins_with_the_smaller_one(
    seed: str, population: set[str], size: int, more: int
) -> None:
    assert sample(seed, population, size + more)[:size] == sample(
        seed, population, size
    )


@given(SEEDS, POPULATIONS, st.integers(1, 40))
def test_an_incident_that_is_not_drawn_does_not_change_the_sample(
    seed: str, population: set[str], size: int
) -> None:
    drawn = sample(seed, population, size)
    rest = population - {each.incident for each in drawn}

    assert sample(seed, population - set(list(rest)[:1]), size) == drawn


def test_the_method_is_the_one_that_is_documented() -> None:
    digest = sha256(b"permanence sample 1\n2025-Q2\nINC-000042").hexdigest()

    assert rank("2025-Q2", "INC-000042") == digest
    assert [each.incident for each in sample("2025-Q2", _REFS, 3)] == _EXPECTED


def test_each_incident_is_drawn_about_as_often_as_any_other() -> None:
    drawn = Counter(
        each.incident
        for number in range(2_000)
        for each in sample(f"seed {number}", _REFS, 5)
    )

    # 500 expected of each; five standard deviations of a binomial are about 97.
    assert set(drawn) == set(_REFS)
    assert all(abs(count - 500) < 97 for count in drawn.values())


_REFS = [f"INC-{number:06}" for number in range(1, 21)]
_EXPECTED = ["INC-000008", "INC-000006", "INC-000014"]
