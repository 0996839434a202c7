"""People are read from a real LDAP server: all of them, or it is a failure."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.intake.ldap import session
from services.intake.ldap.reader import LdapMisconfigured, LdapReader
from services.intake.ldap.session import LdapFailure
from services.intake.people.sync_plan import PeopleFound
from tests.support.ldap.server import (
    ADMIN,
    BASE,
    EVERYWHERE,
    LIMITED,
    MISSING,
    PASSWORD,
    SLAPD,
    LdapServer,
    account,
    group,
    group_dn,
    running_ldap,
    staff,
    staff_dn,
)
from tests.support.servers.certificates import certificate
from tests.support.servers.proxy import proxy_before

pytestmark = pytest.mark.skipif(SLAPD is None, reason=MISSING)

HERE = "127.0.0.1"
PEOPLE = 12


@dataclass(frozen=True)
class Company:
    """A server with a company in it, and the certificate that it shows."""

    server: LdapServer
    certificate: Path
    folder: Path

    def read(self, *lines: str, url: str = "", password: str = PASSWORD) -> PeopleFound:
        """Read its people with these settings and those that are the same for all."""
        given = {line.partition(":")[0] for line in lines}
        usual = {
            "url": url or f"ldap://{HERE}:{self.server.port}",
            "bind_dn": ADMIN,
            "password": "env:LDAP_PASSWORD",
            "base": f"ou=staff,{BASE}",
        }
        text = [
            f"{name}: {value}" for name, value in usual.items() if name not in given
        ]
        file = self.folder / "ldap.yaml"
        file.write_text("\n".join([*text, *lines]), encoding="utf-8")
        return LdapReader(file, {"LDAP_PASSWORD": password}).found()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Give a server that all tests of this file read and none changes."""
    folder = tmp_path_factory.mktemp("ldap")
    file, _ = certificate(folder, HERE, EVERYWHERE)
    entries = "".join(staff(f"p{number}") for number in range(PEOPLE))
    odd = staff("m.o'neil", "O'Neil, Máire (*)")
    groups = group("desk", staff_dn("p0"), staff_dn("P1"), group_dn("night"))
    groups += group("night", staff_dn("p2"), group_dn("desk"), staff_dn("gone"))
    accounts = account("Anne.Roy", 512) + account("Old.Roy", 514)
    with running_ldap(folder, entries + odd + groups + accounts, file) as server:
        yield Company(server, file, folder)


def agents(found: PeopleFound) -> set[str]:
    return {each.id for each in found.people if each.roles}


def test_everybody_is_read_page_by_page(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PAGE", 5)
    found = company.read()

    assert len(found.people) == PEOPLE
    assert found.people[0].columns["email"] == "p0@valmont.example"
    assert [(each.who, each.column) for each in found.left_out] == [
        (staff_dn("m.o'neil"), "id")
    ]


@pytest.mark.parametrize(("nested", "who"), [(False, "01"), (True, "012")])
def test_groups_are_read_and_those_within_them_if_that_is_wanted(
    company: Company, who: str, *, nested: bool
) -> None:
    found = company.read(
        f"nested: {str(nested).lower()}",
        f"groups: {{'{group_dn('Desk')}': [{{role: agent}}]}}",
    )

    assert agents(found) == {f"p{number}" for number in who}


def test_active_directory_says_which_accounts_are_disabled(company: Company) -> None:
    found = company.read(
        f"base: ou=accounts,{BASE}",
        "filter: (&(objectClass=user)(sAMAccountName=*))",
        "attributes: {id: sAMAccountName, name: displayName}",
    )

    assert [each.id for each in found.people] == ["anne.roy"]
    assert found.disabled == 1


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_server_elsewhere_is_read_over_tls_once_it_has_proved_who_it_is(
    company: Company, scheme: str
) -> None:
    tls = scheme == "ldaps"
    port = company.server.tls_port if tls else company.server.port
    trusts = f"ca_file: {company.certificate}"
    url = f"{scheme}://{EVERYWHERE}:{port}"

    assert len(company.read(trusts, url=url).people) == PEOPLE
    with pytest.raises(LdapFailure, match="not trusted"):
        company.read(url=url)
    if tls:  # on this machine, TLS is only spoken if it is asked for
        with pytest.raises(LdapFailure, match="not trusted"):
            company.read(trusts, url=f"ldaps://localhost:{port}")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"base: ou=nowhere,{BASE}", "`base` .* is not there"),
        (f"base: ou=elsewhere,{BASE}", r"in part only \(referral\)"),
        (f"bind_dn: {LIMITED}", r"in part only \(sizeLimitExceeded\)"),
        ("bind_dn: cn=nobody,dc=valmont,dc=example", "rejects `bind_dn`"),
        ("filter: (uid=*", "filter"),
        (f"groups: {{'{group_dn('gone')}': [{{role: agent}}]}}", "group .* not there"),
    ],
)
def test_what_is_not_the_whole_answer_is_a_failure(
    company: Company, line: str, words: str
) -> None:
    with pytest.raises(LdapFailure, match=words):
        company.read(line)


def test_a_wrong_password_is_told_and_not_repeated(company: Company) -> None:
    with pytest.raises(LdapFailure, match="password") as no:
        company.read(password="not this one")
    with pytest.raises(LdapMisconfigured, match="LDAP_PASSWORD: set it"):
        company.read(password="")

    assert "not this one" not in str(no.value)


@pytest.mark.parametrize("page", [1, 2])
def test_a_connection_that_is_cut_between_pages_is_a_failure(
    company: Company, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PAGE", 5)
    cookie = {1: b"\4\0", 2: b"\4\10"}[page]  # empty in the first request for a page
    with proxy_before(company.server.port) as proxy:
        proxy.lose_answer_to = b"\2\1\5" + cookie
        with pytest.raises(LdapFailure):
            company.read(url=f"ldap://{HERE}:{proxy.port}")

        assert proxy.lost.is_set()


def test_a_reading_that_takes_too_long_or_is_ended_is_a_failure(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = LdapReader(company.folder / "ldap.yaml", {"LDAP_PASSWORD": PASSWORD})
    company.read()
    with pytest.raises(LdapFailure, match="intake stops"):
        reader.found(lambda: True)

    monkeypatch.setattr(session, "SECONDS_MAX", 0)
    with pytest.raises(LdapFailure, match="longer than"):
        reader.found()
