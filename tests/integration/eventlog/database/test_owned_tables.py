"""Tables that a stolen role owns: no command runs their code with another login."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner, Result

from cli.app import command_line
from services.projections.audit.verify import anchors
from services.projections.read_models import MODELS
from services.projections.rebuild.rebuild import ensure
from shared.clock import real_clock
from shared.database.copied_rows import ReplacedTable
from shared.eventlog.log import EventLog
from shared.eventlog.readers.parked_events import parked_streams
from shared.eventlog.readers.position import Bookmark
from shared.vault.master_keys import text_of
from tests.support.key_ring import MASTER
from tests.support.servers.servers import ROLE_PASSWORDS, Database

pytestmark = pytest.mark.servers

THIEF = "desk_projections"
ADA = "person:ada"
Run = Callable[..., Result]
LOOKS: Sequence[Sequence[str]] = (
    ("parked", "list"),
    ("parked", "retry", "--wait", "0"),
    ("audit", "verify"),
)
SETTING = "PERMANENCE_PROJECTIONS_DATABASE_URL"
CHANGES: Sequence[Sequence[str]] = (
    ("rebuild", "queue", "--accept-difference"),
    ("rebuild", "queue", "--rollback"),
    ("vault", "rotate"),
    ("vault", "rotate", "--finish"),
    ("vault", "forget", ADA, "--reason", "asked by letter", "--yes"),
)
SPRING = """
CREATE FUNCTION {0}.evil() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    IF session_user <> 'desk_projections' THEN
        BEGIN
            PERFORM nextval('public.trapped');
        EXCEPTION WHEN OTHERS THEN
            RAISE EXCEPTION 'trapped';
        END;
    END IF;
    RETURN true;
END $$;
CREATE FUNCTION {0}.once(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    PERFORM {0}.evil();
    RETURN 1;
END $$;
CREATE FUNCTION {0}.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM {0}.evil();
    RETURN coalesce(NEW, OLD);
END $$;
"""
"""`evil` counts, in a sequence that no rollback takes back, who runs it."""
KINDS = {
    "a view": """
        ALTER TABLE {0}.{1} RENAME TO {1}_own;
        CREATE VIEW {0}.{1} AS SELECT * FROM {0}.{1}_own WHERE {0}.evil();
    """,
    "a policy": """
        ALTER TABLE {0}.{1} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY evil ON {0}.{1} USING ({0}.evil()) WITH CHECK ({0}.evil());
    """,
    "the expression of an index": "CREATE INDEX ON {0}.{1} (({0}.once(1)))",
    "the predicate of an index": """
        CREATE INDEX ON {0}.{1} (reader) WHERE {0}.once(1) = 1
    """,
    "the cast of a column's type": """
        CREATE TYPE {0}.{1}_n AS (n bigint);
        CREATE FUNCTION {0}.{1}_seen({0}.{1}_n) RETURNS bigint LANGUAGE plpgsql AS $$
            BEGIN PERFORM {0}.evil(); RETURN ($1).n; END $$;
        CREATE CAST ({0}.{1}_n AS bigint)
            WITH FUNCTION {0}.{1}_seen({0}.{1}_n) AS IMPLICIT;
        ALTER TABLE {0}.{1} ALTER position TYPE {0}.{1}_n
            USING ROW(position)::{0}.{1}_n;
    """,
    "a trigger": """
        CREATE TRIGGER evil BEFORE INSERT OR UPDATE OR DELETE ON {0}.{1}
            FOR EACH ROW EXECUTE FUNCTION {0}.fired()
    """,
    "a rule": """
        CREATE RULE evil AS ON UPDATE TO {0}.{1} WHERE {0}.evil() DO ALSO SELECT 1;
        CREATE RULE evil_too AS ON DELETE TO {0}.{1}
            WHERE {0}.evil() DO ALSO SELECT 1
    """,
    "a constraint, and a default": """
        ALTER TABLE {0}.{1} ADD CHECK ({0}.evil()) NOT VALID,
            ADD mine boolean DEFAULT {0}.evil()
    """,
    "a generated column": """
        ALTER TABLE {0}.{1} DROP COLUMN position CASCADE,
            ADD position bigint GENERATED ALWAYS AS ({0}.once(1)) STORED
    """,
}


@pytest.fixture
def schema(database: Database) -> str:
    """Make the read models that show words; return the queue's schema."""
    dsn = database.dsn(THIEF)
    with closing(EventLog.open(database.owner_dsn, master=MASTER)) as log:
        log.vault.prepare(ADA)
    ensure(dsn, MASTER, MODELS["words"], real_clock)
    return ensure(dsn, MASTER, MODELS["queue"], real_clock)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("cli.vault.pause", lambda _: None)
    key = tmp_path / "vault.key"
    key.write_text(text_of(MASTER.keys), encoding="ascii")
    kept = {
        "PERMANENCE_HOME": str(tmp_path / "none"),
        "PERMANENCE_VAULT_KEY_FILE": str(key),
    }

    def permanence(words: Sequence[str], **urls: str) -> Result:
        return CliRunner().invoke(command_line(), words, env={**kept, **urls})

    return permanence


def steal(database: Database, schema: str, statements: str) -> None:
    """Change the tables as somebody with the password of their owner."""
    with psycopg.connect(database.owner_dsn) as owner:
        owner.execute("CREATE SEQUENCE public.trapped")
        owner.execute("GRANT ALL ON public.trapped TO PUBLIC")
    with psycopg.connect(database.dsn(THIEF)) as thief:
        thief.execute(SPRING.format(schema).encode())
        thief.execute(
            f"INSERT INTO {schema}.parked VALUES ('queue', 1, 'x', 'x')".encode()
        )
        for table in ("parked", "tracking"):
            thief.execute(statements.format(schema, table).encode())
            grant = f"GRANT SELECT ON {schema}.{table} TO desk_admin"
            thief.execute(grant.encode())


def sprung(database: Database) -> bool:
    """Return whether anybody but the thief ran what the thief wrote."""
    with psycopg.connect(database.owner_dsn) as owner:
        row = owner.execute("SELECT is_called FROM public.trapped").fetchone()
    return row == (True,)


@pytest.mark.parametrize("kind", KINDS)
def test_no_command_runs_a_function_of_a_thiefs_with_its_own_login(
    database: Database, schema: str, run: Run, kind: str
) -> None:
    steal(database, schema, KINDS[kind])
    logins, changes = [database.dsn("desk_admin")], CHANGES[:1]
    if kind == "a view":
        logins, changes = [*logins, database.owner_dsn], CHANGES
    own = {SETTING: database.dsn(THIEF)}

    said = [
        run(words, DATABASE_URL=login, **urls)
        for login in logins
        for commands, urls in ((LOOKS, {}), (changes, own))
        for words in commands
    ]

    assert all("trapped" not in each.output for each in said)
    assert not sprung(database)


def test_what_was_replaced_is_named_and_keeps_nobody_from_the_rest(
    database: Database, schema: str, run: Run
) -> None:
    steal(database, schema, KINDS["a view"])
    login = database.dsn("desk_admin")
    listed, retried, verified = (run(words, DATABASE_URL=login) for words in LOOKS)

    name = f"{schema}.tracking cannot be read as this program made it"
    for said in (listed, retried):
        assert said.exit_code == 3
        assert name in said.stderr
    assert "Nothing else is parked." in listed.stdout
    assert verified.exit_code == 1
    assert f"the log is whole, but {name}" in verified.stdout
    with closing(EventLog.open(login)) as log:
        assert [*anchors(log).replaced] == [schema]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("('queue', 1, NULL, 'x')", "a value is missing"),
        ("('queue', 1, 'x', 'x'), ('queue', 2, 'y', 'x')", "it has more than 1 rows"),
    ],
)
def test_rows_that_are_not_ours_are_not_taken_for_parked_events(
    database: Database,
    schema: str,
    monkeypatch: pytest.MonkeyPatch,
    rows: str,
    why: str,
) -> None:
    monkeypatch.setattr("shared.database.copied_rows.ROWS_MAX", 1)
    with psycopg.connect(database.dsn(THIEF)) as thief:
        thief.execute(f"ALTER TABLE {schema}.parked ALTER stream DROP NOT NULL")
        thief.execute(f"INSERT INTO {schema}.parked VALUES {rows}".encode())
        with pytest.raises(ReplacedTable, match=why):
            parked_streams(thief.cursor(), Bookmark(schema, "queue"), 10)


@pytest.mark.usefixtures("schema")
@pytest.mark.parametrize("words", [*CHANGES[:2], *CHANGES[3:]])
def test_what_a_service_owns_is_changed_with_its_login_or_not_at_all(
    database: Database, run: Run, words: Sequence[str]
) -> None:
    dsn = database.dsn("desk_admin")
    acting = make_conninfo(database.owner_dsn, options=f"-c role={THIEF}")

    for urls in ({}, {SETTING: acting}):
        said = run(words, DATABASE_URL=dsn, **urls)

        assert said.exit_code == 2, said.output
        assert f"and read models are built as {THIEF} alone" in said.stderr
        assert SETTING in said.stderr
    with psycopg.connect(dsn) as admin:
        kept = admin.execute("SELECT FROM vault.keys WHERE wrapped IS NULL")
        assert kept.rowcount == 0


@pytest.mark.usefixtures("schema")
def test_no_key_is_destroyed_while_another_database_would_be_cleaned(
    database: Database, run: Run
) -> None:
    other = database.cluster.dsn("postgres", THIEF, ROLE_PASSWORDS[THIEF])

    said = run(CHANGES[-1], DATABASE_URL=database.owner_dsn, **{SETTING: other})

    assert said.exit_code == 2
    assert "another database than DATABASE_URL" in said.stderr
