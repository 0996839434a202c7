"""What entries of an LDAP server mean for the directory and for roles."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.ldap.document import LdapDocument, normal_dn, read
from services.intake.ldap.rules import Entry, Members, members_of, people_found
from services.intake.people.sync_plan import PeopleFound
from shared.domain.limits import Limits

BASE = "url: ldaps://dc1.valmont.example\nbase: dc=valmont,dc=example\n"
DESK = "cn=Desk\\, support,ou=groups,dc=valmont,dc=example"
GROUPS = f"""{BASE}groups:
  "{DESK.replace(chr(92), chr(92) * 2)}":
    - {{role: agent, teams: [desk]}}
  cn=chiefs,dc=valmont,dc=example:
    - {{role: manager}}
"""
AD = f"{BASE}attributes: {{id: sAMAccountName, name: displayName, client: company}}\n"
CHIEFS = "cn=chiefs,dc=valmont,dc=example"


def document(text: str = BASE) -> LdapDocument:
    found = read(text)
    assert isinstance(found, LdapDocument), found
    return found


def entry(dn: str = "uid=nadia,dc=valmont", /, **values: str | bytes) -> Entry:
    """Return an entry; what is not given is there and valid."""
    whole: Mapping[str, str | bytes] = {
        "uid": "nadia", "cn": "Nadia B.", "mail": "nadia@valmont.example", **values
    }  # fmt: skip
    return Entry(
        dn,
        {
            name.lower(): (value if isinstance(value, bytes) else value.encode(),)
            for name, value in whole.items()
        },
    )


def found(*entries: Entry, text: str = BASE, **members: Members) -> PeopleFound:
    return people_found(entries, members, document(text))


def test_an_entry_becomes_a_person_with_the_columns_that_are_mapped() -> None:
    (person,) = found(
        entry(telephoneNumber="+33 1 23 45 67 89", preferredLanguage="fr-FR, en;q=0.5")
    ).people

    assert person.columns == {
        "id": "nadia",
        "name": "Nadia B.",
        "email": "nadia@valmont.example",
        "phone": "+33 1 23 45 67 89",
        "language": "fr",
    }
    assert person.roles is None


def test_an_attribute_that_is_empty_or_gone_empties_its_column() -> None:
    (person,) = found(entry(mail="  ")).people

    assert person.columns["email"] is None
    assert person.columns["phone"] is None


def test_ids_are_in_lower_case_as_servers_do_not_tell_cases_apart() -> None:
    (person,) = found(entry(uid="Nadia.B")).people

    assert person.id == "nadia.b"


@pytest.mark.parametrize(
    ("attribute", "value", "is_taken"),
    [
        ("telephoneNumber", "01 23 45 67 89", True),
        ("mail", "nadia at valmont", True),
        ("mail", b"\xff\xfe", True),
        ("cn", b"\xff\xfe", False),
        ("cn", "A\x00B", False),
        ("uid", "nadia@valmont", False),
        ("uid", b"\xff\xfe", False),
        ("uid", "", False),
    ],
)
def test_what_is_not_valid_is_left_out_and_reported(
    attribute: str, value: str | bytes, *, is_taken: bool
) -> None:
    answer = found(entry(**{attribute: value}))

    assert bool(answer.people) == is_taken
    binary_only = attribute == "mail" and isinstance(value, bytes)
    assert bool(answer.left_out) != binary_only
    assert is_taken or attribute == "uid" or "nadia" in answer.listed


def test_two_entries_with_one_id_are_both_left_out_and_nobody_is_missing() -> None:
    answer = found(entry("uid=nadia,ou=a"), entry("uid=NADIA,ou=b", uid="NADIA"))

    assert answer.people == ()
    assert answer.listed == {"nadia"}
    assert [each.who for each in answer.left_out] == [
        "uid=nadia,ou=a",
        "uid=NADIA,ou=b",
    ]


@pytest.mark.parametrize(
    ("attributes", "is_disabled"),
    [
        ({"userAccountControl": "512"}, False),
        ({"userAccountControl": "514"}, True),
        ({"userAccountControl": "66050"}, True),
        ({"userAccountControl": "-2147483646"}, True),
        ({"userAccountControl": "5" * 5_000}, False),
        ({"nsAccountLock": "TRUE"}, True),
        ({"nsAccountLock": "false"}, False),
    ],
)
def test_a_disabled_account_counts_as_not_listed(
    attributes: dict[str, str], *, is_disabled: bool
) -> None:
    answer = found(entry(**attributes))

    assert answer.disabled == is_disabled
    assert bool(answer.listed) != is_disabled


def test_groups_give_roles_within_their_limits() -> None:
    nadia = "UID=Nadia, dc=Valmont"
    members = {
        DESK: members_of(Entry(DESK, {"member": (nadia.encode(), b"uid=paul,dc=x")})),
        CHIEFS: members_of(Entry(CHIEFS, {"memberuid": (b"PAUL", b"nobody")})),
    }
    answer = found(
        entry(), entry("uid=paul,dc=valmont", uid="paul"), text=GROUPS, **members
    )

    assert {each.id: each.roles for each in answer.people} == {
        "nadia": [("agent", Limits(teams=frozenset(["desk"])))],
        "paul": [("manager", Limits())],
    }


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("cn=Desk\\, support,dc=x", "CN=desk\\2C support, DC=X", True),
        ("cn=\\C3\\A9t\\c3\\a9,dc=x", "cn=Été,dc=x", True),
        ("cn=a\\+b,dc=x", "cn=a\\2bb,dc=x", True),
        ("cn=a+sn=b,dc=x", "cn=a,sn=b,dc=x", False),
        ("cn=a\\,b,dc=x", "cn=a,ou=b,dc=x", False),
    ],
)
def test_names_are_compared_whatever_way_they_are_written(
    one: str, other: str, *, are_same: bool
) -> None:
    assert (normal_dn(one) == normal_dn(other)) == are_same


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("url: https://x\nbase: dc=x", "line 1: url: write it as ldaps://host"),
        ("url: ldap://u:p@x\nbase: dc=x", "line 1: url"),
        ("url: ldap://x\nbase: nowhere", "line 2: base: no distinguished name"),
        (f"{BASE}bind_dn: cn=a", "`bind_dn` and `password`, or neither"),
        (f"{BASE}bind_dn: cn=a\npassword: hunter2", "line 4: password: a secret"),
        (f"{BASE}every: 1m", "`every` is 5m at least"),
        (f"{BASE}filtre: x", "line 3: filtre: no such field: did you mean `filter`?"),
        (f"{BASE}groups: {{dc=x: [{{role: king}}]}}", "line 3: groups.dc=x[0].role"),
        (f"{BASE}groups: {{dc=x: []}}", "line 3: groups.dc=x: write at least 1"),
    ],
)
def test_a_mistake_in_the_settings_is_told_with_its_line(text: str, words: str) -> None:
    mistakes = read(text)

    assert isinstance(mistakes, list)
    assert any(words in str(each) for each in mistakes), mistakes
    assert not any("hunter2" in str(each) for each in mistakes)


NAMES = (
    "sAMAccountName displayName mail company telephoneNumber preferredLanguage "
    "userAccountControl member"
)
ACTIVE_DIRECTORY = document(AD)
VALUES = st.binary(max_size=12) | st.text(max_size=12).map(str.encode)


@given(
    dn=st.text(max_size=30) | st.just("uid=a,dc=b"),
    held=st.dictionaries(
        st.sampled_from(NAMES.lower().split()), st.lists(VALUES).map(tuple)
    ),
)
def test_no_entry_is_too_odd(dn: str, held: dict[str, tuple[bytes, ...]]) -> None:
    odd = Entry(dn, held)
    answer = people_found([odd], {}, ACTIVE_DIRECTORY)

    members_of(odd)
    assert len(answer.people) + bool(answer.left_out) + answer.disabled >= 1
