"""A desk beside an LDAP server: it synchronises by itself, and when it is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.command_line import Ran, permanence
from tests.support.desks.running import Desk, Setting, running_desk
from tests.support.folders import reachable_folder
from tests.support.ldap.server import (
    ADMIN,
    BASE,
    MISSING,
    PASSWORD,
    SLAPD,
    LdapServer,
    group,
    group_dn,
    running_ldap,
    staff,
    staff_dn,
)
from tests.support.patience import SECONDS, until

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(SLAPD is None, reason=MISSING),
]

PEOPLE = 20
AWAY = 3


@pytest.fixture
def ldap(tmp_path: Path) -> Iterator[LdapServer]:
    """Give a server with twenty people, all agents."""
    entries = "".join(staff(f"p{number}") for number in range(PEOPLE))
    entries += group("desk", *(staff_dn(f"p{number}") for number in range(PEOPLE)))
    with running_ldap(tmp_path, entries) as server:
        yield server


@pytest.fixture
def desk(ldap: LdapServer, tmp_path: Path) -> Iterator[Desk]:
    """Give a desk that knows it."""
    file = tmp_path / "ldap.yaml"
    file.write_text(
        f"url: ldap://127.0.0.1:{ldap.port}\n"
        f"bind_dn: {ADMIN}\n"
        "password: env:LDAP_PASSWORD\n"
        f"base: ou=staff,{BASE}\n"
        f"groups: {{'{group_dn('desk')}': [{{role: agent, teams: [desk]}}]}}\n"
        "every: 1h\n",
        encoding="utf-8",
    )
    environment = {"PERMANENCE_LDAP_FILE": str(file), "LDAP_PASSWORD": PASSWORD}
    setting = Setting(environment=environment)
    two = ("intake", "projections")
    with (
        reachable_folder() as folder,
        running_desk(folder, start=two, setting=setting) as made,
    ):
        yield made


def state(desk: Desk) -> dict[str, Any]:
    return desk.check("intake", "ldap")


def sync(desk: Desk, *words: str, who: str = "admin") -> Ran:
    env = {"PERMANENCE_API_URL": desk.api_url, "PERMANENCE_TOKEN": desk.tokens[who]}
    return permanence("people", "sync", *words, env=env)


def test_a_desk_follows_ldap(desk: Desk, ldap: LdapServer) -> None:
    until(lambda: state(desk).get("added") == PEOPLE, "it synchronises by itself")
    desk.until_commands_are_taken()
    assert sync(desk, "--preview", "--json").plain["unchanged"] == PEOPLE

    ldap.deletes(staff_dn("p1"))
    assert "p1" in sync(desk, "--preview").out
    assert sync(desk, who="manager").code == 2
    assert sync(desk, "--json").plain["removed"] == 1

    ldap.end()
    away = sync(desk)
    assert away.code == AWAY
    assert "nothing was changed" in away.err
    metrics = httpx.get(f"{desk.intake_url}/metrics", timeout=SECONDS).text
    for name in ("permanence_ldap_failed", "permanence_ldap_leads"):
        assert f"\n{name}" in metrics
    assert PASSWORD not in desk.output("intake")
    assert "valmont" not in desk.output("intake"), "names of entries are in no log"
