"""What PostgreSQL may use of a machine's memory."""

from pathlib import Path

import pytest

from standalone.postgres import machine_memory, memory_settings

GIGABYTE = 2**30


@pytest.mark.parametrize(
    ("gigabytes", "buffers", "cache", "maintenance"),
    [
        (0.25, "128MB", "256MB", "64MB"),
        (4, "512MB", "2048MB", "128MB"),
        (24, "2048MB", "12288MB", "512MB"),
        (256, "2048MB", "131072MB", "512MB"),
    ],
)
def test_an_eighth_of_the_memory_is_shared_within_bounds(
    gigabytes: float, buffers: str, cache: str, maintenance: str
) -> None:
    given = memory_settings(int(gigabytes * GIGABYTE))

    assert given == {
        "shared_buffers": buffers,
        "effective_cache_size": cache,
        "maintenance_work_mem": maintenance,
    }


@pytest.mark.parametrize(
    ("ours", "limits", "least"),
    [
        ("0::/\n", {"memory.max": "1000\n"}, 1000),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "2000\n"}, 2000),
        (
            "5:cpu,memory:/a\n4:pids:/a\n",
            {
                "memory/a/memory.limit_in_bytes": "3000\n",
                "pids/a/memory.limit_in_bytes": "1\n",
            },
            3000,
        ),
        ("0::/away\n", {"memory.max": "4000\n"}, 4000),
    ],
)
def test_a_limit_of_a_control_group_counts(
    tmp_path: Path, ours: str, limits: dict[str, str], least: int
) -> None:
    files = {"proc/self/cgroup": ours}
    files |= {f"sys/fs/cgroup/{name}": limit for name, limit in limits.items()}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert machine_memory(tmp_path) == least


def test_without_control_groups_it_is_what_the_machine_has(tmp_path: Path) -> None:
    assert machine_memory(tmp_path) > 2**28
