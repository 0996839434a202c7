"""`permanence config` and `permanence people`: sentences, JSON and exit codes."""

import os
from datetime import date
from pathlib import Path

import pytest

from cli import config as cli_config
from services.intake.policy import store as policy_store
from services.intake.policy.expansion import Files, expanded
from shared.domain.policy.document import Policy
from shared.mistake import Wrong
from shared.yaml12 import TEXT_MAX
from tests.support.command_line import Ran, permanence
from tests.support.compose import ROOT
from tests.support.policies import FULL, FULL_FILE, full_text
from tests.support.ports import reserved_port
from tests.support.servers.servers import Database

SIGNED = ("--reason", "first one", "--approved-by", "direction", "--by", "ghislaine")


def run(*words: object, stdin: str | None = None, **env: str) -> Ran:
    settings = {"DATABASE_URL": "", "PERMANENCE_HOME": "/nowhere", **env}
    return permanence(*words, stdin=stdin, env=settings)


@pytest.fixture
def url(database: Database) -> str:
    return database.dsn("desk_admin")


def written(folder: Path, text: str, name: str = "p.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_good_policy_is_called_good() -> None:
    said = run("config", "check", FULL_FILE)
    assert said.code == 0
    assert "good" in said.out
    assert "No database is named: its people were not looked up." in said.out
    plain = run("config", "check", FULL_FILE, "--json").plain
    assert (plain["services"], plain["people_looked_up"]) == (3, False)
    (first, *_) = plain["paged"]
    assert (first["team"], first["priorities"]) == (
        "exploitation",
        ["p1", "p2", "p3", "p4"],
    )
    assert first["people"] in (["tariq"], ["ines"], ["jos"])  # who is on call now
    assert "editeur (N3)" in said.out


def test_what_does_nothing_yet_is_warned_of_with_file_and_line(tmp_path: Path) -> None:
    clients = "{audience: clients,"
    text = Path(FULL_FILE).read_text(encoding="utf-8")
    anonymous = f"{clients} anonymous: {{}}, min_answers: 5,"
    file = written(tmp_path, text.replace(clients, anonymous))
    said = run("config", "check", file)

    assert f"{file}: warning: line 119: surveys.clients.anonymous" in said.err
    plain = run("config", "check", file, "--json").plain
    paths = [each["path"] for each in plain["warnings"]]
    assert paths == ["surveys.clients.anonymous"]


@pytest.mark.servers
@pytest.mark.parametrize("command", ["check", "apply"])
def test_a_member_who_is_missing_in_the_directory_is_warned_of(
    url: str, tmp_path: Path, command: str
) -> None:
    known = ("odette", "wim", "ghislaine", "tariq", "jos", "lucas", "mieke")
    rows = "".join(f"{person},{person.title()}\n" for person in known)
    file = written(tmp_path, f"id,name\n{rows}", "people.csv")
    assert run("people", "import", file, DATABASE_URL=url).code == 0

    signed = SIGNED if command == "apply" else ()
    said = run("config", command, FULL_FILE, *signed, "--json", DATABASE_URL=url)

    found = {each["path"]: each["sentence"] for each in said.plain["warnings"]}
    assert said.code == 0
    assert "`ines` is not in the directory" in found["teams.exploitation.members[1]"]
    assert "permanence people import" in found["contracts.ville.may_agree[1]"]
    assert "teams.accueil.manager" not in found
    assert not [path for path in found if path.startswith("teams.accueil")]


def test_a_policy_is_checked_also_while_the_desk_is_away() -> None:
    away = f"postgresql://a:b@127.0.0.1:{reserved_port()}/x"

    said = run("config", "check", FULL_FILE, DATABASE_URL=away)

    assert said.code == 0
    assert "database cannot be reached or read: people were not looked up" in said.err
    plain = run("config", "check", FULL_FILE, "--json", DATABASE_URL=away).plain
    assert "people were not looked up" in plain["warnings"][-1]["sentence"]
    assert not plain["people_looked_up"]


def test_a_policy_may_come_through_a_pipe() -> None:
    assert run("config", "check", "-", stdin=FULL).code == 0


def test_mistakes_are_told_with_file_and_line(tmp_path: Path) -> None:
    file = written(tmp_path, full_text(("p2: 5h", "p2: 5d"), ("p1: 8h", "p1: [b]")))
    said = run("config", "check", file)
    assert (said.code, said.out) == (2, "")
    assert f"{file}: line " in said.err
    assert "2 mistakes; nothing was done." in said.err
    plain = run("config", "check", file, "--json").plain
    assert not plain["ok"]
    paths = [each["path"] for each in plain["mistakes"]]
    assert paths == ["targets.or.ttr.p2", "targets.argent.ttr.p1"]


def test_a_file_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"version: 1\nname: \xe9\n")
    (tmp_path / "large.yaml").write_bytes(b"#" * (TEXT_MAX + 1))
    os.mkfifo(tmp_path / "pipe.yaml")
    for file, words in (
        (tmp_path / "absent.yaml", "name a file that can be read"),
        (tmp_path, "name a file that can be read"),
        (tmp_path / "pipe.yaml", "not a regular file"),
        (tmp_path / "latin.yaml", "line 2: not UTF-8"),
        (tmp_path / "large.yaml", "over 16 MB"),
    ):
        said = run("config", "check", file)
        assert said.code == 2
        assert words in said.err
        assert words in run("config", "check", file, "--json").plain["error"]


def test_the_schema_is_json() -> None:
    for words in (("config", "schema"), ("config", "schema", "--json")):
        assert run(*words).plain["title"] == "permanence.yaml"


@pytest.mark.parametrize(
    "words",
    [("config", "diff", FULL_FILE), ("config", "apply", FULL_FILE, *SIGNED),
     ("people", "list"), ("people", "show", "nadia")],
)  # fmt: skip
def test_a_desk_that_is_away_is_told_in_a_sentence(words: tuple[object, ...]) -> None:
    said = run(*words)
    assert (said.code, said.out) == (3, "")
    assert "make up" in said.err
    away = f"postgresql://a:b@127.0.0.1:{reserved_port()}/x"
    said = run(*words, DATABASE_URL=away)
    assert (said.code, said.out) == (3, "")
    assert "is the desk running?" in said.err
    assert run(*words, DATABASE_URL="no address").code == 2


@pytest.mark.servers
def test_a_policy_is_compared_applied_and_then_already_so(
    url: str, tmp_path: Path
) -> None:
    said = run("config", "diff", FULL_FILE, "--json", DATABASE_URL=url)
    assert (said.code, said.plain["version"]) == (1, 0)
    said = run("config", "apply", FULL_FILE, *SIGNED, DATABASE_URL=url)
    assert said.code == 0
    assert "version 1 is in force" in said.out
    assert run("config", "diff", FULL_FILE, DATABASE_URL=url).code == 0
    said = run("config", "apply", FULL_FILE, *SIGNED, "--json", DATABASE_URL=url)
    assert (said.code, said.plain["applied"]) == (0, False)
    changed = written(tmp_path, full_text(("p2: 5h", "p2: 4h")))
    said = run("config", "diff", changed, "--json", DATABASE_URL=url)
    assert said.code == 1
    assert said.plain["changes"] == [
        {"path": "targets.or.ttr.p2", "kind": "changed", "before": "5h", "after": "4h"}
    ]
    assert "targets.or.ttr.p2" in run("config", "diff", changed, DATABASE_URL=url).out


@pytest.mark.servers
def test_who_approves_a_new_contract_reads_each_value_of_it(url: str) -> None:
    starter = ROOT / "deploy" / "permanence.yaml"
    assert run("config", "apply", starter, *SIGNED, DATABASE_URL=url).code == 0

    lines = run("config", "diff", FULL_FILE, DATABASE_URL=url).out.splitlines()

    rows = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert rows["contracts.ville.until"] == ["2027-02-01"]
    assert rows["targets.or.ttr.p2"] == ["5h"]


@pytest.mark.servers
def test_a_wrong_policy_or_signature_is_not_applied(url: str, tmp_path: Path) -> None:
    wrong = written(tmp_path, full_text(("p2: 5h", "p2: 5d")))
    assert run("config", "apply", wrong, *SIGNED, DATABASE_URL=url).code == 2
    said = run(
        "config", "apply", FULL_FILE, "--reason", "odette@x.example", "--by", "a b",
        DATABASE_URL=url,
    )  # fmt: skip
    assert said.code == 2
    assert "--reason: an e-mail address" in said.err
    assert "--by: write a person's id" in said.err
    assert run("config", "diff", FULL_FILE, "--json", DATABASE_URL=url).code == 1


@pytest.mark.servers
def test_who_applies_second_is_told_and_nothing_is_done(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = written(tmp_path, full_text(("p2: 5h", "p2: 4h")))

    def while_another_applies(
        policy: Policy, on: date, files: Files
    ) -> Policy | list[Wrong]:
        monkeypatch.setattr(policy_store, "expanded", expanded)
        assert run("config", "apply", other, *SIGNED, DATABASE_URL=url).code == 0
        return expanded(policy, on, files)

    monkeypatch.setattr(policy_store, "expanded", while_another_applies)
    said = run("config", "apply", FULL_FILE, *SIGNED, DATABASE_URL=url)
    assert (said.code, said.out) == (4, "")
    assert "somebody else applied" in said.err
    assert run("config", "diff", other, DATABASE_URL=url).code == 0


@pytest.mark.servers
def test_a_role_that_may_not_apply_is_told_in_a_sentence(database: Database) -> None:
    reader = database.dsn("desk_projections")
    said = run("config", "apply", FULL_FILE, *SIGNED, DATABASE_URL=reader)
    assert said.code == 3
    assert "permission denied" in said.err


@pytest.mark.servers
def test_people_are_imported_listed_and_shown(url: str, tmp_path: Path) -> None:
    file = written(tmp_path, "id;name;client\nnadia;Nadia [b];mairie\n", "people.CSV")
    said = run("people", "import", file, DATABASE_URL=url)
    assert (said.code, said.out) == (0, "1 added, 0 changed, 0 as they were.\n")
    more = written(tmp_path, "paul: {name: Paul, language: fr}", "more.yaml")
    said = run("people", "import", more, "--json", DATABASE_URL=url)
    assert said.plain == {"added": 1, "changed": 0, "unchanged": 0}
    assert "Nadia [b]" in run("people", "list", DATABASE_URL=url).out
    listed = run("people", "list", "--client", "mairie", "--json", DATABASE_URL=url)
    assert [each["id"] for each in listed.items] == ["nadia"]
    assert "language: fr" in run("people", "show", "paul", DATABASE_URL=url).out
    shown = run("people", "show", "paul", "--json", DATABASE_URL=url).plain
    assert (shown["name"], shown["zone"]) == ("Paul", None)
    assert "name: Nadia [b]" in run("people", "show", "nadia", DATABASE_URL=url).out
    assert run("people", "show", "nobody", DATABASE_URL=url).code == 2


@pytest.mark.servers
def test_one_wrong_row_imports_nobody(url: str, tmp_path: Path) -> None:
    file = written(tmp_path, "id,name,email\na,A,\nb,B,b@x\n", "people.csv")
    said = run("people", "import", file, DATABASE_URL=url)
    assert said.code == 2
    assert f"{file}: row 3: email: not an e-mail address" in said.err
    assert run("people", "list", "--json", DATABASE_URL=url).items == []


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    said = run("people", "import", written(tmp_path, "x", "people.xlsx"))
    assert said.code == 2
    assert ".csv or .yaml" in said.err


def test_changes_without_end_are_counted(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_config, "ROWS_SHOWN_MAX", 3)
    said = run("config", "diff", FULL_FILE, DATABASE_URL=url)
    plain = run("config", "diff", FULL_FILE, "--json", DATABASE_URL=url).plain
    assert said.code == 1
    assert "more values: `--json` has all of them." in said.out
    assert len(said.out.splitlines()) < 20
    assert {change["path"] for change in plain["changes"]} >= {"desk", "surveys"}


def test_an_applied_policy_is_shown_as_it_was_applied(url: str, tmp_path: Path) -> None:
    other = written(tmp_path, full_text(("p2: 5h", "p2: 4h")))
    for file in (FULL_FILE, other):
        assert run("config", "apply", file, *SIGNED, DATABASE_URL=url).code == 0
    first = run("config", "show", "--version", 1, DATABASE_URL=url)
    newest = run("config", "show", DATABASE_URL=url)
    assert (first.code, newest.code) == (0, 0)
    assert first.plain["targets"]["or"]["ttr"]["p2"] == "5h"
    assert newest.plain["targets"]["or"]["ttr"]["p2"] == "4h"
    jour = first.plain["calendars"]["jour"]
    assert len(jour["holidays"]) > len(jour["closed"])


def test_a_version_that_was_never_applied_is_told_in_a_sentence(url: str) -> None:
    said = run("config", "show", DATABASE_URL=url)
    assert said.code == 2
    assert "no policy was applied yet" in said.err
    assert run("config", "apply", FULL_FILE, *SIGNED, DATABASE_URL=url).code == 0
    said = run("config", "show", "--version", 7, DATABASE_URL=url)
    assert said.code == 2
    assert "no policy version 7" in said.err
