"""Writes docs/reference/rights.md from a migrated database: who may do what in it.

The other pages follow from the code alone; this one needs a server, which `make docs`
starts, and its test has.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from shared.database.migrate import ROLES

PAGE = Path(__file__).parents[1] / "reference" / "rights.md"
_PUBLIC = "everybody"
_GRANTEES = (*ROLES, _PUBLIC)

_HEAD = """\
*Reference* · [all pages](../index.md)

# Rights in the database

<!-- Written by `make docs` from a database; change the migrations, not this page. -->

Each service logs in to PostgreSQL with a role of its own.
The role may do what is listed here and nothing else.
The owner of the database may do everything; no service has its password.

S select · I insert · U update · D delete · L lock and rewrite (`MAINTAIN`) ·
G usage of a schema or a sequence · N set a sequence · X execute ·
T make temporary tables · columns in brackets: these alone.
"""
_LETTERS = {
    "SELECT": "S",
    "INSERT": "I",
    "UPDATE": "U",
    "DELETE": "D",
    "MAINTAIN": "L",
    "USAGE": "G",
    "EXECUTE": "X",
    "TEMPORARY": "T",
    "CONNECT": "",  # everybody's, behind a password
}
_SEQUENCE = {"UPDATE": "N"}

_OURS = "nspname !~ '^pg_' AND nspname <> 'information_schema'"
_SCHEMAS = f"""
SELECT '', nspname, 'schema', acl.grantee, acl.privilege_type, NULL
FROM pg_namespace CROSS JOIN LATERAL aclexplode(nspacl) AS acl WHERE {_OURS}
"""  # noqa: S608 # our own names
_RELATIONS = f"""
SELECT nspname, relname, CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view'
       ELSE 'table' END, acl.grantee, acl.privilege_type, NULL
FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
CROSS JOIN LATERAL aclexplode(coalesce(relacl,
    acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) AS acl
WHERE {_OURS} AND relkind IN ('r', 'p', 'v', 'S') AND NOT relispartition
  AND NOT (relkind = 'S' AND EXISTS (  -- of a column that numbers its rows
    SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'i'))
"""  # noqa: S608 # our own names
_COLUMNS = f"""
SELECT nspname, relname, 'table', acl.grantee, acl.privilege_type,
       string_agg(attname, ', ' ORDER BY attnum)
FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
JOIN pg_namespace AS n ON n.oid = relnamespace
CROSS JOIN LATERAL aclexplode(attacl) AS acl
WHERE {_OURS} GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 # our own names
_FUNCTIONS = f"""
SELECT nspname, proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
       || CASE WHEN prosecdef THEN ' †' ELSE '' END,
       'function', acl.grantee, acl.privilege_type, NULL
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
CROSS JOIN LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner))) AS acl
WHERE {_OURS} AND prorettype <> 'trigger'::regtype
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
"""  # noqa: S608 # our own names
_BUILT_IN = """
SELECT 'pg_catalog', p.oid::regprocedure::text, 'function', acl.grantee,
       acl.privilege_type, NULL
FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(proacl) AS acl
WHERE pronamespace = 'pg_catalog'::regnamespace AND EXISTS (
    SELECT FROM pg_init_privs RIGHT JOIN (SELECT) AS one ON objoid = p.oid
    WHERE initprivs IS NULL)
"""
_DATABASE = """
SELECT '', 'the database', 'database', acl.grantee, acl.privilege_type, NULL
FROM pg_database CROSS JOIN LATERAL aclexplode(datacl) AS acl
WHERE datname = current_database()
"""
_ROLE_NAMES = "SELECT oid, rolname FROM pg_roles"
_POLICIES = """
SELECT schemaname || '.' || tablename, policyname, cmd, array_to_string(roles, ', '),
       coalesce(with_check, qual), permissive = 'RESTRICTIVE'
FROM pg_policies ORDER BY tablename, cmd DESC, roles::text, policyname
"""
_MEMBERS = """
SELECT m.rolname, r.rolname FROM pg_auth_members
JOIN pg_roles AS r ON r.oid = roleid JOIN pg_roles AS m ON m.oid = member
WHERE r.rolname LIKE 'desk%' ORDER BY 1, 2
"""
_SETTINGS = """
SELECT rolname, unnest(setconfig) FROM pg_db_role_setting
JOIN pg_roles ON oid = setrole WHERE setdatabase = 0 AND rolname LIKE 'desk%'
ORDER BY 1, 2
"""
_LIMITS = """
SELECT rolname, rolconnlimit FROM pg_roles
WHERE rolname LIKE 'desk%' AND rolconnlimit >= 0 ORDER BY 1
"""


class _Right(NamedTuple):
    schema: str
    object: str
    kind: str
    grantee: str
    letter: str
    columns: str | None


Cells = tuple[str, ...]
"""What each grantee may do with an object."""


def page(owner_dsn: str) -> str:
    """Return the page as Markdown, of a database that is migrated."""
    with psycopg.connect(owner_dsn) as connection:
        rights = list(_rights(connection))
        policies = connection.execute(_POLICIES).fetchall()
        members = connection.execute(_MEMBERS).fetchall()
        settings = connection.execute(_SETTINGS).fetchall()
        limits = connection.execute(_LIMITS).fetchall()
    tables = (
        line
        for title, found in _by_schema(rights)
        for line in ("", f"## {title}", "", *_table(found), *_footnote(found))
    )
    return "\n".join(
        [
            _HEAD.rstrip(),
            *tables,
            *_rows(policies),
            *("", "## Roles", ""),
            *(f"* `{member}` may act as `{role}`." for member, role in members),
            *(f"* `{role}` has at most {n} connections." for role, n in limits),
            *(f"* `{role}` begins a session with `{said}`." for role, said in settings),
            "",
        ]
    )


def _rights(connection: Connection[Any]) -> Iterator[_Right]:
    roles: dict[int, str] = dict(connection.execute(_ROLE_NAMES).fetchall())
    roles[0] = _PUBLIC
    for query in (_DATABASE, _SCHEMAS, _RELATIONS, _COLUMNS, _FUNCTIONS, _BUILT_IN):
        for schema, name, kind, grantee, privilege, columns in connection.execute(
            query.encode()
        ):
            letters = _LETTERS | (_SEQUENCE if kind == "sequence" else {})
            letter = letters.get(privilege, privilege)
            yield _Right(schema, name, kind, roles[grantee], letter, columns)


def _by_schema(rights: Iterable[_Right]) -> Iterator[tuple[str, Sequence[_Right]]]:
    found: dict[str, list[_Right]] = defaultdict(list)
    for right in rights:
        found[right.schema].append(right)
    for schema in sorted(found):
        yield _TITLES.get(schema, f"`{schema}`"), found[schema]


_TITLES = {
    "": "The database and its schemas",
    "pg_catalog": "PostgreSQL's own functions, where they are not everybody's",
}


def _table(rights: Sequence[_Right]) -> Iterator[str]:
    """Yield a table in which objects with the same rights share a row."""
    objects: dict[tuple[str, str], list[_Right]] = defaultdict(list)
    for right in rights:
        objects[right.kind, right.object].append(right)
    alike: dict[tuple[str, Cells], list[str]] = defaultdict(list)
    for (kind, name), found in sorted(objects.items()):
        alike[kind, _cells(found)].append(f"`{name}`".replace(" †`", "` †"))
    short = [role.removeprefix("desk_") for role in _GRANTEES]
    yield f"| | {' | '.join(short)} |"
    yield f"|---|{'---|' * len(short)}"
    for (kind, cells), names in alike.items():
        what = kind if len(names) == 1 else f"{kind}s"
        yield f"| {what} {', '.join(names)} | {' | '.join(cells)} |"


def _footnote(rights: Sequence[_Right]) -> Iterator[str]:
    if any(right.object.endswith("†") for right in rights):
        yield ""
        yield "† runs with the rights of the owner"


def _cells(rights: Sequence[_Right]) -> Cells:
    held: Mapping[str, list[str]] = {grantee: [] for grantee in _GRANTEES}
    for right in rights:
        if right.grantee in held and right.letter:
            columns = f" ({right.columns})" if right.columns else ""
            held[right.grantee].append(f"{right.letter}{columns}")
    return tuple(_joined(held[grantee]) for grantee in _GRANTEES)


def _joined(letters: Sequence[str]) -> str:
    whole = "".join(sorted((x for x in letters if len(x) == 1), key="SIUDLGNXT".index))
    return " ".join([*([whole] if whole else []), *sorted(x for x in letters if x[1:])])


def _rows(policies: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    yield from ("", "## Rows", "")
    yield (
        "Of these tables a role sees, or adds, the rows for which one of its "
        "conditions is true, and each of those that hold *as well*."
    )
    yield from ("", "| table | may | who | where |", "|---|---|---|---|")
    for table, _, command, roles, condition, always in policies:
        who = _PUBLIC if roles == "public" else roles.removeprefix("desk_")
        if always:
            who += ", *as well*"
        where = " ".join(condition.split()).replace("|", "\\|")
        yield f"| `{table}` | {command.lower()} | {who} | `{where}` |"
