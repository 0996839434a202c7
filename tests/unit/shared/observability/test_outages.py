"""An absent server is told of once, then seldom."""

from structlog.testing import capture_logs

from shared.observability.telemetry import EVERY_SECONDS, Outage


class Time:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_an_outage_is_told_at_once_then_seldom_and_its_end_once() -> None:
    time = Time()
    outage = Outage("nats", "trying again", monotonic=time)

    with capture_logs() as lines:
        outage.back()
        for _ in range(120):
            outage.away(OSError("refused"))
            time.now += EVERY_SECONDS / 60
        outage.back()
        outage.back()

    assert [(line["event"], line["away_seconds"]) for line in lines] == [
        ("nats.away", 0),
        ("nats.away", 30),
        ("nats.back", 60),
    ]
    assert lines[0]["error"] == "OSError: refused"


def test_the_next_outage_is_told_at_once() -> None:
    time = Time()
    outage = Outage("nats", "trying again", monotonic=time)

    with capture_logs() as lines:
        for _ in range(2):
            outage.away(OSError("first line\nsecond line"))
            outage.back()

    assert [line["event"] for line in lines] == ["nats.away", "nats.back"] * 2
    assert lines[0]["error"] == "OSError: first line"
