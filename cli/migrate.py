"""`permanence migrate`: brings a database to this version, with roles and passwords.

`make up` does it automatically; this is for databases and containers of your own.
"""

from typing import Annotated

import psycopg
import typer
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cli.shell.output import AsJson, Exit, answer, bar, refused
from shared.database.clock_mode import ClockMode
from shared.database.migrate import ROLES, Mismatch, migrate


class MigrationSettings(BaseSettings):
    """Settings of `permanence migrate`. A role without a password cannot log in."""

    model_config = SettingsConfigDict(
        env_prefix="PERMANENCE_", frozen=True, extra="ignore", populate_by_name=True
    )

    database_url: SecretStr = Field(
        validation_alias="DATABASE_URL",
        description="PostgreSQL, as a user who may create roles and schemas.",
    )
    desk_intake_password: SecretStr | None = Field(None, description="For intake.")
    desk_projections_password: SecretStr | None = Field(
        None, description="For the API."
    )
    desk_sla_watcher_password: SecretStr | None = Field(
        None, description="For the SLA watcher."
    )
    desk_escalation_password: SecretStr | None = Field(
        None, description="For escalation."
    )
    desk_auditor_password: SecretStr | None = Field(
        None, description="For auditors, who only read the log."
    )
    desk_admin_password: SecretStr | None = Field(
        None, description="For the command line of administrators."
    )

    clock: ClockMode | None = Field(
        None,
        description="Whose clock an empty log will go by, for good: `server` is "
        "PostgreSQL's; `lever` is for demos and tests, whose time is moved by a file. "
        "If left out: `server`, and a log that has a mode keeps it.",
    )

    def passwords(self) -> dict[str, str]:
        """Return the password of each role that has one."""
        held = {role: getattr(self, f"{role}_password") for role in ROLES}
        return {
            role: secret.get_secret_value()
            for role, secret in held.items()
            if isinstance(secret, SecretStr) and secret.get_secret_value()
        }


app = typer.Typer()


@app.command("migrate")
def migrate_command(
    as_json: AsJson = False,
    clock: Annotated[
        ClockMode | None,
        typer.Option(
            envvar="PERMANENCE_CLOCK",
            show_default=False,
            help="Whose clock an empty log will go by, for good; `server` if left out.",
        ),
    ] = None,
) -> None:
    """Create or update the tables and roles of DATABASE_URL.

    With `--clock server` the log uses PostgreSQL's clock; with `--clock lever`, for
    demos and tests, that of its callers. Exit codes: 0 done, 1 made by another version
    or with another clock, 2 settings, 3 not reachable.
    """
    try:
        settings = MigrationSettings()
    except ValidationError:
        sentence = "Set DATABASE_URL to the database to migrate."
        raise refused(sentence, Exit.INVALID) from None
    try:
        with bar({"migrate": "migrating the database"}) as report:
            report("migrate", 0, None)
            done = migrate(
                settings.database_url.get_secret_value(),
                settings.passwords(),
                clock=clock,
            )
    except Mismatch as reason:
        raise refused(f"{reason}", Exit.DIFFERS) from None
    except psycopg.OperationalError as reason:
        sentence = f"DATABASE_URL is not reachable: {_first_line(reason)}"
        raise refused(sentence, Exit.UNREACHABLE) from None
    except psycopg.Error as reason:
        sentence = f"The database refused the migration: {_first_line(reason)}"
        raise refused(sentence, Exit.DIFFERS) from None
    sentence = f"Applied {', '.join(done)}." if done else "Nothing to do: up to date."
    answer({"applied": done}, sentence)


def _first_line(reason: Exception) -> str:
    return str(reason).strip().splitlines()[0]
