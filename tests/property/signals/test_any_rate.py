"""Whatever comes when, no more is let in than the policy says."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.gate.admission import Bucket, Flow, filled, take

COST_MAX = 50
asks = st.lists(
    st.tuples(
        st.floats(0, 10, allow_nan=False), st.integers(1, COST_MAX), st.booleans()
    ),
    max_size=60,
)


@given(st.integers(1, 100), st.integers(1, 200), asks)
def test_what_is_let_in_is_a_burst_what_flowed_in_and_one_array_at_most(
    per_second: int, burst: int, asked: list[tuple[float, int, bool]]
) -> None:
    flow, bucket, now, taken = Flow(per_second, burst), None, 0.0, 0
    for pause, cost, _ in asked:
        now += pause
        bucket, wait = take(bucket, now, flow, cost)
        taken += 0 if wait else cost
        assert taken <= burst + now * per_second + COST_MAX - 1 + 1e-6


@given(st.integers(1, 100), st.integers(1, 200), asks)
def test_who_waits_as_long_as_told_is_let_in(
    per_second: int, burst: int, asked: list[tuple[float, int, bool]]
) -> None:
    flow, bucket, now = Flow(per_second, burst), None, 0.0
    for pause, cost, comes_back in asked:
        now += pause
        bucket, wait = take(bucket, now, flow, cost)
        if wait and comes_back:
            now += wait + 1e-6
            bucket, again = take(bucket, now, flow, cost)
            assert not again


@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(0, 1e6, allow_nan=False),
    st.floats(-10, 1e6, allow_nan=False),
)
def test_a_bucket_never_holds_more_than_its_burst_nor_runs_backwards(
    tokens: float, at: float, later: float
) -> None:
    flow = Flow(10, 500)
    before = Bucket(min(tokens, flow.burst), at)

    after = filled(before, at + later, flow)

    assert before.tokens <= after.tokens <= flow.burst
