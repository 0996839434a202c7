"""A port of ours is one that no outgoing connection is given."""

from pathlib import Path

import pytest

from standalone.ports import free_port, is_free, outside_clients


@pytest.mark.parametrize(
    ("setting", "among", "not_among"),
    [
        ("32768\t60999\n", [10_081, 32_767, 61_000, 65_535], [10_080, 32_768, 60_999]),
        ("1024 65535", [], [10_081, 65_535]),
        ("1024 10080", [10_081, 65_535], [10_080]),
        ("not numbers", [10_081, 49_151], [49_152, 65_535]),
        (None, [10_081, 49_151], [49_152, 65_535]),
    ],
)
def test_ports_lie_outside_the_range_of_clients(
    tmp_path: Path, setting: str | None, among: list[int], not_among: list[int]
) -> None:
    file = tmp_path / "ip_local_port_range"
    if setting is not None:
        file.write_text(setting)
    ports = set(outside_clients(file))
    assert ports >= set(among)
    assert ports.isdisjoint(not_among)


def test_a_free_port_is_free_and_outside() -> None:
    port = free_port()
    assert is_free(port)
    outside = outside_clients(Path("/proc/sys/net/ipv4/ip_local_port_range"))
    assert port in outside or not outside
