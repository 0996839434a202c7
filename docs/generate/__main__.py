"""Writes every generated page of the reference: `python -m docs.generate`."""

from pathlib import Path

from docs.generate import rights
from docs.generate.pages import PAGES
from shared.database.migrate import migrate
from tests.support.folders import reachable_folder
from tests.support.servers.servers import running_postgres


def main() -> None:
    """Write those that changed, and say which."""
    for made in PAGES:
        _write(made.PAGE, made.page())
    with (
        reachable_folder() as folder,
        running_postgres(folder, durable=False) as server,
    ):
        database = server.fresh_database()
        migrate(database.owner_dsn, {})  # rights on a database are not copied with it
        _write(rights.PAGE, rights.page(database.owner_dsn))


def _write(page: Path, text: str) -> None:
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")
        print(f"written: {page}")


if __name__ == "__main__":
    main()
