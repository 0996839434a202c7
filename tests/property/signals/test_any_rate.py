"""Whatever comes when, no more is let in than the policy says."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.intake.gate.admission import ELEMENT_BYTES, Admission
from services.intake.signals.body import BODY_BYTES_MAX
from shared.domain.policy.sources import Monitor, Rate
from shared.http.token_buckets import Bucket, Flow, filled, take

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


sizes = st.integers(0, BODY_BYTES_MAX)


@given(st.integers(1, 100), st.lists(st.tuples(st.floats(0, 10), sizes), max_size=60))
def test_the_bytes_let_in_are_those_of_as_many_elements_and_one_body_at_most(
    per_second: int, sent: list[tuple[float, int]]
) -> None:
    rate, now, taken = Rate(per_second=per_second, burst=2 * per_second), 0.0, 0
    rules = {"demo": Monitor(type="native", rate=rate)}
    noon = datetime(2025, 6, 30, 12, tzinfo=UTC)
    admission = Admission(rules.get, lambda: noon, elapsed=lambda: now)
    for pause, size in sent:
        now += pause
        allowance = admission.ask("demo")
        assert allowance is not None
        if not allowance.wait:
            admission.charge("demo", 1, size)
            taken += size
        elements = rate.burst + now * per_second + 1e-6
        assert taken <= elements * ELEMENT_BYTES + BODY_BYTES_MAX


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
