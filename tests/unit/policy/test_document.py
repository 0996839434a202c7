"""A policy is taken whole or refused with every mistake, its line and what to do."""

from pathlib import Path

import pytest

from shared.database.migrate import MIGRATIONS
from shared.domain.events.administration import document_bytes
from shared.domain.policy import validation
from shared.domain.policy.document import Policy
from shared.domain.policy.validation import DOCUMENT_MAX, read
from tests.support.policies import FULL, full, full_text, mistakes

STARTER = Path(__file__).parents[3] / "deploy" / "permanence.yaml"


def test_the_full_policy_is_taken() -> None:
    assert full().version == 1


def test_the_starter_policy_is_taken() -> None:
    assert isinstance(read(STARTER.read_text(encoding="utf-8")), Policy)


def test_an_unquoted_time_of_day_is_text_even_under_a_yaml_1_1_directive() -> None:
    unquoted = full_text(('"09:00-18:00"', "09:00-18:00"))
    for text in (unquoted, f"%YAML 1.1\n---\n{unquoted}"):
        policy = read(text)
        assert isinstance(policy, Policy)
        assert policy.calendars["lisbonne"].weekly_hours["mon"][0].opens == "09:00"


def test_all_mistakes_are_told_together_in_the_order_of_lines() -> None:
    found = mistakes(
        ("close_after: 12h", "close_after: 2d"),
        ("calendar: lisbonne", "calendar: lisbone"),
        ("fr: Billetterie", "en: Billetterie"),
        ("Europe/Lisbon", "Europe/Lisboa"),
        ("type: imap", "type: pop3"),
    )
    assert [each.path for each in found] == [
        "desk.close_after",
        "calendars.lisbonne.timezone",
        "services.billetterie.name",
        "contracts.fret.calendar",
        "sources.guichet",
    ]
    lines = [each.line for each in found]
    assert lines == sorted(lines, key=lambda line: line or 0)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (("ping_pong: 3", "pingpong: 3"), "escalation.pingpong", "`ping_pong`?"),
        (("ping_pong: 3", "members: 3"), "escalation.members", "take it out"),
        (("n1: {own: 7m}", "n1: {owns: 7m}"), "targets.vermeil.ola.n1.owns", "`own`?"),
        (
            ("type: imap,", "type: imap, chanel: x,"),
            "sources.guichet.chanel",
            "`channel`?",
        ),
        (("close_after: 12h", "close_after: 90"), "desk.close_after", "h, m and s"),
        (("p1: 8h", "p1: 0m"), "targets.argent.ttr.p1", "longer than nothing"),
        (("n2: 40%", "n2: 140%"), "targets.or.levels.n2", "1% to 100%"),
        (("n2: 40%", "n2: 40"), "targets.or.levels.n2", "h, m and s"),
        (("[50%, 90%]", "[90%, 50%]"), "targets.or.warn", "rising"),
        (("[50%, 90%]", "[50%, 15m]"), "targets.or.warn[1]", "30m before"),
        (("[50%, 90%]", "[1001%]"), "targets.or.warn[0]", "up to 1000%"),
        (("[50%, 90%]", "[-15m]"), "targets.or.warn[0]", "which side"),
        (("[50%, 90%]", "[0m before]"), "targets.or.warn[0]", "which side"),
        (("[50%, 90%]", "[5m after, 5m before]"), "targets.or.warn", "first to the"),
        (("n1: {own: 7m}", "n1: {}"), "targets.vermeil.ola.n1", "`own`, `work`"),
        (("work: 35%", "work: 135%"), "targets.vermeil.ola.n2.work", "1% to 100%"),
        (("Europe/Lisbon", "Mars/Base"), "calendars.lisbonne.timezone", "zone"),
        (("PT-11", "PT-99"), "calendars.lisbonne.public_holidays", "FR or CA-QC"),
        (('"01-01"', '"02-30"'), "calendars.nuit.holidays[0]", "not a day"),
        (("from: 2025-03-01", "from: 20250301"), "contracts.fret.from", "2025-06-30"),
        (("from: 2025-03-01", "from: '20250301'"), "contracts.fret.from", "2025-06-30"),
        (("from: 2025-03-01", "from: 2025-02-30"), "contracts.fret.from", "not a day"),
        (("until: 2027", "until: 2024"), "contracts.ville", "later than `from`"),
        (("until: 2026", "until: 2024"), "contracts.ville.also.tel", "later than"),
        (("targets: vermeil, from", "targets: vermei, from"), None, "`vermeil`?"),
        (("channel: [phone]", "channel: [fax]"), None, "'phone'"),
        (("when: {channel: [phone]}", "when: {}"), None, "say when"),
        (
            ("channel: [phone]", "service: [unknown]"),
            "contracts.ville",
            "not among the `services`",
        ),
        (
            ('"2025-01-06T08:00"', '"2025-01-06T08:00+01:00"'),
            "schedules.garde.rotation.start",
            "without an offset",
        ),
        (
            ("shift_length: 2", "shift_length: true"),
            "schedules.garde.rotation.shift_length",
            "whole number",
        ),
        (("after: 25m", "after: 10m"), "escalation.functional", "rising `after`"),
        (("who: next", "who: first"), "escalation.functional[1].page.who", "'next'"),
        (
            ("FREQ=WEEKLY;BYDAY=SU", "EVERY SUNDAY"),
            "maintenance.dimanche.rrule",
            "BYDAY",
        ),
        (
            ("FREQ=WEEKLY;BYDAY=SU", "FREQ=WEEKLY;INTERVAL=0"),
            "maintenance.dimanche.rrule",
            "not a recurrence rule",
        ),
        (
            ("FREQ=WEEKLY;BYDAY=SU", "FREQ=MINUTELY"),
            "maintenance.dimanche.rrule",
            "not a recurrence rule",
        ),
        *(
            (("FREQ=WEEKLY;BYDAY=SU", rule), "maintenance.dimanche.rrule", "no date")
            for rule in (
                "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
                "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
                "FREQ=DAILY;BYMONTH=4;BYMONTHDAY=31;UNTIL=20300101T000000",
                "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
            )
        ),
        (("[odette, wim]", "[2]"), "teams.accueil.members[0]", "in quotes"),
        (("  unknown: {name", "  autre: {name"), "services", "`unknown`"),
        (("{v1: [{id: confiance", "{first: [{id: confiance"), None, "v1, v2"),
        (
            ("duration: 12h", "duration: [12h]"),
            "maintenance.demenagement.duration",
            "h, m",
        ),
        (
            ("members: [odette, wim]", "members: odette"),
            "teams.accueil.members",
            "a list",
        ),
    ],
)
def test_a_mistake_names_its_path_and_says_what_to_do(
    change: tuple[str, str], path: str | None, words: str | None
) -> None:
    found = mistakes(change)
    assert len(found) == 1, [str(each) for each in found]
    assert path in (None, found[0].path)
    assert words is None or words in found[0].sentence
    assert found[0].line is not None


def test_a_missing_part_is_told_at_the_line_of_what_it_is_missing_from() -> None:
    (found,) = mistakes(("  timezone: Europe/Brussels\n  languages", "  languages"))
    assert found.path == "desk.timezone"
    assert found.line == full_text().splitlines().index("desk:") + 1


def test_a_policy_that_is_no_mapping_is_refused_with_a_sentence() -> None:
    for text in ("[]", "42", "''", "just words"):
        found = read(text)
        assert isinstance(found, list)
        assert "mapping" in found[0].sentence


def test_a_document_over_its_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(document_bytes(full().document()))
    monkeypatch.setattr(validation, "DOCUMENT_MAX", size)
    assert isinstance(read(FULL), Policy)
    monkeypatch.setattr(validation, "DOCUMENT_MAX", size - 1)
    (found,) = mistakes()
    assert f"{size} bytes as a document, at most {size - 1}" in found.sentence


def test_the_table_of_documents_has_the_same_limit() -> None:
    migration = MIGRATIONS / "0045_documents.sql"
    assert f"<= {DOCUMENT_MAX})" in migration.read_text(encoding="utf-8")
