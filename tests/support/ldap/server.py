"""A real LDAP server on this machine: Debian's slapd, with a company in it.

It has the usual classes of OpenLDAP, and those of Active Directory.
"""

import base64
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from time import monotonic, sleep

from ldap3 import MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, NONE, Connection, Server

from tests.support.patience import SECONDS
from tests.support.ports import reserved_port

SLAPD = shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin")
MISSING = "needs slapd: apt-get install slapd"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - an address of this machine that is not loopback
BASE = "dc=valmont,dc=example"
ADMIN, PASSWORD = f"cn=admin,{BASE}", "c'est un secret, (*)"
LIMITED = f"cn=limited,{BASE}"
"""Who is shown three entries at most."""
_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/msuser.schema
modulepath /usr/lib/ldap
moduleload back_mdb
{tls}
database mdb
maxsize 20000000
suffix "{base}"
directory "{folder}"
rootdn "{admin}"
rootpw "{password}"
limits dn.exact="{limited}" size=3 size.prtotal=3
dbnosync
"""
Attributes = dict[str, str | bytes | Sequence[str | bytes]]


def ldif(dn: str, attributes: Attributes) -> str:
    """Return an entry; all values in base64, so that any text and byte may be in it."""
    lines = [f"dn:: {_coded(dn)}"]
    for name, given in attributes.items():
        values = [given] if isinstance(given, str | bytes) else given
        lines += [f"{name}:: {_coded(value)}" for value in values]
    return "\n".join(lines) + "\n\n"


def _coded(value: str | bytes) -> str:
    raw = value.encode() if isinstance(value, str) else value
    return base64.b64encode(raw).decode()


@dataclass
class LdapServer:
    """The server; `port` speaks plainly, or begins TLS when it is asked to."""

    folder: Path
    port: int
    tls_port: int
    process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Serve, from now on."""
        urls = f"ldap://{EVERYWHERE}:{self.port}/ ldaps://{EVERYWHERE}:{self.tls_port}/"
        command = [str(SLAPD), "-d", "0", "-f", str(self.folder / "conf"), "-h", urls]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = monotonic() + SECONDS
        while True:
            try:
                create_connection(("127.0.0.1", self.tls_port)).close()
            except OSError:
                assert monotonic() < deadline, "slapd does not come up"
                sleep(0.02)
            else:
                return

    def end(self) -> None:
        """Be away."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(SECONDS)
            self.process = None

    def adds(self, group: str, member: str) -> None:
        """Make somebody a member."""
        self._changes(group, {"member": [(MODIFY_ADD, [member])]})

    def drops(self, group: str, *members: str) -> None:
        """Take members out of a group."""
        self._changes(group, {"member": [(MODIFY_DELETE, list(members))]})

    def sets(self, dn: str, attribute: str, *values: str) -> None:
        """Replace the values of an attribute."""
        self._changes(dn, {attribute: [(MODIFY_REPLACE, list(values))]})

    def hires(self, uid: str) -> None:
        """Add a person."""
        with self._connection() as connection:
            more = {"cn": uid, "sn": uid, "uid": uid}
            connection.add(staff_dn(uid), "inetOrgPerson", more)  # type: ignore[no-untyped-call] # its stubs lack it

    def deletes(self, *names: str) -> None:
        """Delete entries."""
        with self._connection() as connection:
            for dn in names:
                connection.delete(dn)  # type: ignore[no-untyped-call] # its stubs lack it

    def _changes(self, dn: str, changes: dict[str, object]) -> None:
        with self._connection() as connection:
            connection.modify(dn, changes)  # type: ignore[no-untyped-call] # its stubs lack it

    def _connection(self) -> Connection:
        server = Server("127.0.0.1", self.port, get_info=NONE)
        return Connection(server, ADMIN, PASSWORD, raise_exceptions=True)


@contextmanager
def running_ldap(
    folder: Path, entries: str, certificate: Path | None = None
) -> Iterator[LdapServer]:
    """Run a server with these entries while the body does.

    With a certificate, whose key lies beside it, it speaks TLS.
    """
    data = folder / "data"
    data.mkdir()
    tls = ""
    if certificate is not None:
        key = certificate.with_name("key.pem")
        tls = f"TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}"
    config = _CONFIG.format(
        tls=tls,
        base=BASE,
        folder=data,
        admin=ADMIN,
        password=PASSWORD,
        limited=LIMITED,
    )
    (folder / "conf").write_text(config)
    add = [str(SLAPD), "-T", "add", "-f", str(folder / "conf"), "-q"]
    subprocess.run(add, input=_ROOT.encode() + entries.encode(), check=True)
    server = LdapServer(folder, reserved_port(), reserved_port())
    server.begin()
    try:
        yield server
    finally:
        server.end()


_ROOT = (
    ldif(BASE, {"objectClass": ["domain"], "dc": "valmont"})
    + ldif(
        LIMITED,
        {
            "objectClass": ["organizationalRole", "simpleSecurityObject"],
            "userPassword": PASSWORD,
        },
    )
    + ldif(f"ou=staff,{BASE}", {"objectClass": "organizationalUnit"})
    + ldif(f"ou=groups,{BASE}", {"objectClass": "organizationalUnit"})
    + ldif(f"ou=accounts,{BASE}", {"objectClass": "organizationalUnit"})
    + ldif(
        f"ou=elsewhere,{BASE}",
        {
            "objectClass": ["referral", "extensibleObject"],
            "ref": "ldap://127.0.0.1:1/ou=elsewhere,dc=other",
        },
    )
)


def staff(uid: str, name: str | None = None, **more: str | bytes) -> str:
    """Return a person as OpenLDAP has them."""
    cn = name or f"Person {uid}"
    return ldif(
        staff_dn(uid),
        {
            "objectClass": "inetOrgPerson",
            "cn": cn,
            "sn": cn,
            "uid": uid,
            "mail": f"{uid}@valmont.example",
            **more,
        },
    )


def staff_dn(uid: str) -> str:
    """Return the name of their entry."""
    return f"uid={uid},ou=staff,{BASE}"


def group(name: str, *members: str) -> str:
    """Return a group of entries."""
    return ldif(group_dn(name), {"objectClass": "groupOfNames", "member": members})


def group_dn(name: str) -> str:
    """Return the name of a group."""
    return f"cn={name},ou=groups,{BASE}"


def account(name: str, control: int) -> str:
    """Return a person as Active Directory has them."""
    return ldif(
        f"cn={name},ou=accounts,{BASE}",
        {
            "objectClass": ["user", "extensibleObject"],
            "cn": name,
            "sn": name,
            "displayName": name,
            "sAMAccountName": name,
            "userAccountControl": str(control),
            "instanceType": "4",
            "nTSecurityDescriptor": b"\1\0\4\x80",
            "objectCategory": BASE,
            "objectGUID": b"\xff\xfe\0\1",
        },
    )
