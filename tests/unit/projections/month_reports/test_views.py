"""The numbers of a report by section, and what the log gives differently today."""

from collections.abc import Mapping, Sequence

from services.projections.metrics.definitions import DEFINITIONS
from services.projections.web.month_reports.views import changed, nested, sections_of
from shared.domain.month_report import REPORTED, SECTIONS

PARTS: Mapping[str, Sequence[str]] = dict(SECTIONS.items())
"""The metrics of each section, as the API lists them."""
NUMBERS = {
    "satisfaction.share": None,
    "satisfaction.n": 3,
    "balance.closed": 12,
    "backlog_age.1-3.n": 2,
    "sla.ttr.met": 9,
    "sla.ttr.breached": 1,
    "sla.ttr.share": 0.9,
    "sla.ttr.breached_by.user": 0,
    "sla.ttr.breached_by.unattributed": 1,
}
TODAY = {
    **NUMBERS,
    "sla.ttr.breached_by.user": 1,
    "sla.ttr.breached_by.unattributed": 0,
}


def test_satisfaction_stands_first_and_all_metrics_have_definitions() -> None:
    assert next(iter(SECTIONS)) == "satisfaction"
    assert {*REPORTED} < {*DEFINITIONS}
    assert len(REPORTED) == len({*REPORTED})


def test_numbers_are_in_their_section_with_n_and_the_month_before() -> None:
    before = {**NUMBERS, "balance.closed": 9}

    found = {each.name: each for each in sections_of(PARTS, NUMBERS, before, "en")}

    assert list(found) == list(SECTIONS)
    rows = {
        row.label: row
        for each in found.values()
        for m in each.metrics
        for row in m.rows
    }
    assert (rows["Closed"].value, rows["Closed"].before) == ("12", "9")
    assert rows["Closed"].change == "+3"
    (kept,) = [row for label, row in rows.items() if row.value == "90%"]
    assert kept.n == "10"


def test_what_is_attributed_later_differs_and_nothing_else() -> None:
    found = [*changed(PARTS, NUMBERS, TODAY, "en")]

    assert [(each.row.before, each.row.value) for each in found] == [
        ("0", "1"),
        ("1", "0"),
    ]
    assert [*changed(PARTS, NUMBERS, NUMBERS, "en")] == []


def test_a_report_of_an_older_program_lacks_metrics_and_is_shown() -> None:
    found = sections_of(PARTS, {"balance.closed": 1}, {}, "fr")

    assert [each.name for each in found] == list(SECTIONS)
    assert nested({"a.b.c": 1, "a.d": 2}, ["a", "e"]) == {
        "a": {"b": {"c": 1}, "d": 2},
        "e": {},
    }
