"""Which names a desk answers under."""

import pytest

from shared.http.known_hosts import is_known, names_of

NAMES = names_of("https://Desk.Example.org:8443/", "desk.internal, *.branch.example")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8080",
        "[2001:db8::1]:8080",
        "localhost",
        "desk.localhost:8080",
        "projections:8080",
        "desk.example.org",
        "DESK.internal.:8080",
        "paris.branch.example",
        "",
    ],
)
def test_addresses_plain_names_and_those_of_the_settings_are_known(host: str) -> None:
    assert is_known(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [
        "elsewhere.example",
        "desk.example.org.elsewhere.example",
        "branch.example",
        "127.0.0.1.elsewhere.example",
        "2130706433.elsewhere.example:8080",
    ],
)
def test_no_other_name_is(host: str) -> None:
    assert not is_known(host, NAMES)
    assert is_known(host, names_of(None, "*"))
