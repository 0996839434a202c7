"""Groups of Active Directory are read whole, or it is a failure."""

from collections.abc import Set as AbstractSet

import pytest

from services.intake.ldap.document import LdapDocument, read
from services.intake.ldap.rules import members_of, name_of
from services.intake.ldap.session import LdapFailure, opened
from tests.support.ldap.active_directory import RangedGroup, active_directory

DN = "cn=desk,ou=groups,dc=valmont,dc=example"
MEMBERS = [f"uid=p{number},ou=staff,dc=valmont,dc=example" for number in range(3_200)]


def members(group: RangedGroup) -> AbstractSet[str]:
    with active_directory(group) as port:
        document = read(f"url: ldap://127.0.0.1:{port}\nbase: dc=valmont,dc=example\n")
        assert isinstance(document, LdapDocument)
        with opened(document, None, lambda: False) as session:
            return members_of(session.group(DN)).names


@pytest.mark.parametrize("count", [2, 1_500, 1_501, 3_200])
def test_a_large_group_is_read_part_by_part(count: int) -> None:
    found = members(RangedGroup(DN, MEMBERS[:count]))

    assert found == {name_of(member) for member in MEMBERS[:count]}


def test_a_group_of_which_a_part_is_missing_is_a_failure() -> None:
    with pytest.raises(LdapFailure, match=r"read in part only \(up to 1499\)"):
        members(RangedGroup(DN, MEMBERS, ends_after=1_499))
