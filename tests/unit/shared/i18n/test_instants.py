"""Instants and durations as their readers say them, also where clocks change."""

from datetime import UTC, datetime, timedelta

import pytest
from babel.localedata import locale_identifiers

from shared.i18n.catalog import Language
from shared.i18n.formats import duration_text, instant_text


def fr(instant: str, zone: str) -> str:
    return instant_text(datetime.fromisoformat(instant), zone, "fr")


def en(instant: str, zone: str) -> str:
    return instant_text(datetime.fromisoformat(instant), zone, "en")


def test_an_instant_is_told_on_the_readers_own_clock() -> None:
    instant = "2025-07-03T14:30+00:00"

    assert fr(instant, "America/Montreal") == (
        "jeudi 3 juillet 2025 à 10:30, heure de Montréal"
    )
    assert en(instant, "America/Montreal") == (
        "Thursday 3 July 2025 at 10:30, Montréal time"
    )
    assert fr(instant, "Europe/Paris") == (
        "jeudi 3 juillet 2025 à 16:30, heure de Paris"
    )


def test_it_is_the_same_in_whatever_zone_it_was_written() -> None:
    assert fr("2025-07-03T10:30-04:00", "Europe/Paris") == fr(
        "2025-07-03T14:30+00:00", "Europe/Paris"
    )


def test_the_day_may_be_another_where_the_reader_is() -> None:
    assert en("2025-06-30T23:30+00:00", "Europe/Paris") == (
        "Tuesday 1 July 2025 at 01:30, Paris time"
    )


def test_the_first_of_a_month_is_ordinal_in_french_and_no_other_day_is() -> None:
    assert fr("2025-07-01T12:00+00:00", "UTC").startswith("mardi 1er juillet 2025 à")
    assert fr("2025-07-21T12:00+00:00", "UTC").startswith("lundi 21 juillet 2025 à")
    assert fr("2025-07-11T12:00+00:00", "UTC").startswith("vendredi 11 juillet 2025 à")


@pytest.mark.parametrize(
    ("instant", "told"),
    [
        ("2025-03-30T00:59+00:00", "dimanche 30 mars 2025 à 01:59, heure de Paris"),
        ("2025-03-30T01:00+00:00", "dimanche 30 mars 2025 à 03:00, heure de Paris"),
        (
            "2025-10-26T00:30+00:00",
            "dimanche 26 octobre 2025 à 02:30 (UTC+2), heure de Paris",
        ),
        (
            "2025-10-26T01:30+00:00",
            "dimanche 26 octobre 2025 à 02:30 (UTC+1), heure de Paris",
        ),
        ("2025-10-26T02:00+00:00", "dimanche 26 octobre 2025 à 03:00, heure de Paris"),
    ],
)
def test_an_hour_that_comes_twice_says_which(instant: str, told: str) -> None:
    assert fr(instant, "Europe/Paris") == told


def test_minutes_are_never_rounded_up() -> None:
    assert en("2025-07-03T14:30:59.999+00:00", "UTC").endswith("at 14:30, UTC")


@pytest.mark.parametrize(
    ("zone", "french", "english"),
    [
        ("UTC", "heure UTC", "UTC"),
        ("Etc/GMT+5", "heure UTC−5", "UTC−5"),
        ("EST5EDT", "heure UTC−4", "UTC−4"),
        ("Africa/Abidjan", "heure d’Abidjan", "Abidjan time"),
        ("Africa/Cairo", "heure du Caire", "Cairo time"),
        ("America/Havana", "heure de La Havane", "Havana time"),
        ("Pacific/Easter", "heure de l’île de Pâques", "Easter Island time"),
        ("Europe/London", "heure de Londres", "London time"),
        ("Asia/Kolkata", "heure de Kolkata", "Kolkata time"),
        (
            "America/Argentina/Buenos_Aires",
            "heure de Buenos Aires",
            "Buenos Aires time",
        ),
    ],
)
def test_a_zone_is_called_by_its_city_or_its_offset(
    zone: str, french: str, english: str
) -> None:
    assert fr("2025-07-03T14:30+00:00", zone).partition(", ")[2] == french
    assert en("2025-07-03T14:30+00:00", zone).partition(", ")[2] == english


def test_an_offset_of_half_an_hour_is_told_whole() -> None:
    # Lord Howe Island turns its clocks back by half an hour.
    assert "01:45 (UTC+11)" in en("2025-04-05T14:45+00:00", "Australia/Lord_Howe")
    assert "01:45 (UTC+10:30)" in en("2025-04-05T15:15+00:00", "Australia/Lord_Howe")


def test_a_zone_nobody_knows_is_not_guessed() -> None:
    with pytest.raises(KeyError):
        instant_text(datetime(2025, 7, 3, tzinfo=UTC), "Europe/Atlantis", "fr")


@pytest.mark.parametrize(
    ("seconds", "language", "told"),
    [
        (0, "fr", "0 minute"),
        (25, "fr", "25 secondes"),
        (60, "fr", "1 minute"),
        (900, "fr", "15 minutes"),
        (3_600, "en", "1 hour"),
        (5_400, "fr", "1 heure et 30 minutes"),
        (5_400, "en", "1 hour and 30 minutes"),
        (86_400, "en", "24 hours"),
        (144_000, "fr", "40 heures"),
        (3_661, "fr", "1 heure, 1 minute et 1 seconde"),
    ],
)
def test_a_duration_is_told_in_hours_minutes_and_seconds(
    seconds: int, language: Language, told: str
) -> None:
    text = duration_text(timedelta(seconds=seconds), language)

    assert text.replace("\N{NO-BREAK SPACE}", " ") == told


def test_a_duration_has_words_in_every_language_of_the_cldr() -> None:
    for language in locale_identifiers():
        text = duration_text(timedelta(hours=6, minutes=7, seconds=8), language)

        assert "duration" not in text, language
        assert all(number in text for number in "678"), language
