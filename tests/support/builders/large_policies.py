"""The text of a policy with any number of services and of closed days."""

from datetime import date, timedelta

_HEAD = """\
version: 1
desk:
  team: desk
  timezone: Europe/Paris
  languages: [fr, en]
  close_after: 48h
  reopen_within: 40h
  calendar: jour
priorities:
  high: {high: p1, medium: p1, low: p2}
  medium: {high: p2, medium: p3, low: p3}
  low: {high: p3, medium: p4, low: p4}
  override: {roles: [direction]}
targets:
  or:
    tto: {p1: 10m, p2: 20m, p3: 1h, p4: 3h}
    ttr: {p1: 2h, p2: 5h, p3: 10h, p4: 30h}
teams:
  desk: {level: n1, members: [odette], manager: ghislaine}
  ops: {level: n2, members: [tariq], manager: ghislaine}
sources:
  demo: {type: native, key: "env:DEMO_KEY"}
calendars:
  jour:
    timezone: Europe/Paris
    weekly_hours: {mon-sun: ["08:00-18:00"]}
    closed:
"""
_SERVICES = """\
services:
  unknown: {name: {fr: Inconnu, en: Unknown}, criticality: low, support: [desk]}
"""
_CONTRACT = """\
contracts:
  tous:
    client: ville
    from: 2025-01-01
    calendar: jour
    targets: or
    services:
"""
_FIRST_DAY = date(2024, 1, 2)


def large_text(services: int, holidays: int) -> str:
    """Return the policy: every second day is closed, later ones for two hours only."""
    closed = [_closed(number) for number in range(holidays)]
    contract = _CONTRACT + "\n".join(f"      - {_name(n)}" for n in range(services))
    parts = [_HEAD, *(f"      - {each}\n" for each in closed), _SERVICES]
    return "".join([*parts, *map(_service, range(services)), contract, "\n"])


def _closed(number: int) -> str:
    """Return a day of the five years from 2024 on, then parts of the other days."""
    whole = 900
    if number < whole:
        return f"{_FIRST_DAY + timedelta(days=2 * number)}"
    day = _FIRST_DAY + timedelta(days=2 * ((number - whole) % whole) + 1)
    hour = 8 + 2 * ((number - whole) // whole)
    return f"{day} {hour:02}:00-{hour:02}:30"


def _service(number: int) -> str:
    impact = ("high", "medium", "low")[number % 3]
    return (
        f"  {_name(number)}:\n"
        f"    name: {{fr: Service numéro {number}, en: Service number {number}}}\n"
        f"    criticality: {impact}\n"
        "    support: [desk, ops]\n"
    )


def _name(number: int) -> str:
    return f"service-{number:05d}"
