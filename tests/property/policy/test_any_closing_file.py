"""Whatever an iCalendar file says: its events close, or it is said why not."""

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.domain.policy.calendars import Closing
from shared.domain.policy.closed_days import closings_in
from tests.support.examples import examples
from tests.unit.policy.test_closing_files import file

closing = TypeAdapter[str](Closing)
YEARS = range(2025, 2027)
ZONES = st.sampled_from(["Europe/Paris", "America/Sao_Paulo", "Pacific/Apia", "UTC"])
instants = st.sampled_from(
    [
        *("20251224", "20251340", "20251026T023000", "20251026T013000Z", "00010101"),
        *("99991231", "20251224T235959Z", "20250330T023000", "", "soon"),
    ]
)
kinds = st.sampled_from(["", ";VALUE=DATE", ";TZID=Europe/Paris", ";TZID=Nowhere"])
rules = st.sampled_from(
    [
        *("FREQ=YEARLY", "FREQ=DAILY;COUNT=3", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20260101"),
        *("FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=HOURLY", "COUNT=2", "FREQ=DAILY;X=1"),
        "FREQ=MONTHLY;BYDAY=-1FR;INTERVAL=0",
    ]
)
lines = st.one_of(
    st.builds(
        "{}{}:{}".format,
        st.sampled_from(["DTSTART", "DTEND", "EXDATE", "RDATE", "RECURRENCE-ID"]),
        kinds,
        instants,
    ),
    st.builds("RRULE:{}".format, rules),
    st.sampled_from(["DURATION:P2D", "DURATION:-PT1H", "STATUS:CANCELLED", "UID:1"]),
)
events = st.lists(lines, max_size=5).map("\n".join)
starts = st.builds("DTSTART{}:{}".format, kinds, instants)


@examples(300)
@given(st.lists(st.tuples(starts, events).map("\n".join), max_size=3), ZONES)
@example(["DTSTART:20251224T100000Z\nDTEND;VALUE=DATE:20251226"], "UTC")
def test_a_file_of_events_closes_or_is_refused(written: list[str], zone: str) -> None:
    is_of_use_or_refused(file(*written), zone)


@given(st.text() | st.binary().map(lambda raw: raw.decode(errors="replace")))
def test_any_text_is_read_or_refused(text: str) -> None:
    is_of_use_or_refused(text, "UTC")


def is_of_use_or_refused(text: str, zone: str) -> None:
    try:
        found = closings_in(text, zone, YEARS)
    except ValueError:
        return
    assert found == sorted(set(found))
    for each in found:
        assert closing.validate_python(each)
        assert int(each[:4]) in YEARS
