"""`permanence remap`: what would be read otherwise now; it changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.intake.quarantine import remap
from shared.eventlog.log import EventLog
from shared.vault.master_keys import text_of
from tests.integration.intake.signals.mapped_desk import (
    BAD,
    MASTER,
    MENDED,
    NOW,
    OFF,
    POLICY,
    MappedDesk,
)
from tests.support.command_line import Ran, permanence

pytestmark = pytest.mark.servers


Run = Callable[..., Ran]


@pytest.fixture
def run(desk: MappedDesk, tmp_path: Path) -> Run:
    key = tmp_path / "key"
    key.write_text(text_of(MASTER.keys))
    env = {
        "DATABASE_URL": desk.database.dsn("desk_admin"),
        "PERMANENCE_VAULT_KEY_FILE": str(key),
        "PERMANENCE_HOME": "/nowhere",
        "COLUMNS": "200",
    }

    def command(*words: object) -> Ran:
        return permanence("remap", *words, env=env)

    return command


def counts(said: Ran) -> dict[str, int]:
    return {name: n for name, n in said.plain.items() if isinstance(n, int) and n}


def policy_file(folder: Path, mapping: str) -> Path:
    file = folder / "tried.yaml"
    text = POLICY.read_text(encoding="utf-8").replace(
        "demo: {type: native}", f"demo: {{type: mapped, mapping: {mapping}}}"
    )
    file.write_text(text, encoding="utf-8")
    return file


GOOD = {**BAD, "up": False, "point": "d1"}


def test_what_is_read_as_before_is_only_counted(desk: MappedDesk, run: Run) -> None:
    desk.post([GOOD, BAD])

    said = run("--source", "demo", "--json")

    assert said.code == 0
    assert counts(said) == {"same": 2}
    assert said.plain["bodies"] == []


def test_a_policy_is_tried_before_it_is_in_force(
    desk: MappedDesk, run: Run, tmp_path: Path
) -> None:
    desk.post([GOOD, BAD])
    desk.post({**GOOD, "text": "Door 1 stuck"})
    head = desk.log.head()
    waiting = desk.listed()

    said = run("--source", "demo", "--policy", policy_file(tmp_path, MENDED), "--json")

    assert said.code == 1
    assert counts(said) == {"same": 2, "now_mapped": 1}
    (body,) = said.plain["bodies"]
    (element,) = body["elements"]
    assert element["then"]["error"].startswith("action: `values` does not list it")
    assert element["now"]["action"] == "trigger"
    assert (desk.log.head(), desk.listed()) == (head, waiting), "a dry run"


def test_what_would_be_refused_or_read_otherwise_is_shown(
    desk: MappedDesk, run: Run, tmp_path: Path
) -> None:
    desk.post([GOOD, {**GOOD, "point": None, "title": "x"}])
    desk.post(GOOD)
    other = OFF.replace("title: text", "title: point").replace("'false'", "'FALSE'")

    worse = run("--source", "demo", "--policy", policy_file(tmp_path, other), "--json")
    people = run("--source", "demo", "--policy", policy_file(tmp_path, other))

    assert counts(worse) == {"same": 1, "changed": 2}
    assert "Door 7 stuck" in people.out
    assert "Nothing was changed." in people.out


def test_twice_over_the_same_past_is_the_same(
    desk: MappedDesk, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(7):
        desk.now = NOW + timedelta(days=n % 3, minutes=n)
        desk.post([{**BAD, "point": f"d{n}"}, {**GOOD, "point": f"e{n}"}])
    words = ("--source", "demo", "--policy", policy_file(tmp_path, MENDED), "--json")

    whole = run(*words)
    monkeypatch.setattr(remap, "CHUNK", 2)
    monkeypatch.setattr(remap, "_READ", remap._READ.replace("LIMIT 50", "LIMIT 2"))

    assert run(*words) == whole
    assert counts(whole) == {"same": 7, "now_mapped": 7}
    assert len(whole.plain["bodies"]) == 7


def test_an_unknown_source_is_not_mistaken_for_one_without_differences(
    run: Run,
) -> None:
    said = run("--source", "zzz")

    assert (said.code, said.out) == (2, "")
    assert "no policy ever had a source `zzz`" in said.err


def test_without_differences_there_is_no_table(desk: MappedDesk, run: Run) -> None:
    desk.post(GOOD)

    assert run("--source", "demo").out.startswith("1 same")


def test_a_span_of_time_is_looked_at_alone(desk: MappedDesk, run: Run) -> None:
    for n in range(3):
        desk.now = NOW + timedelta(hours=n)
        desk.post({**GOOD, "point": f"d{n}"})
    desk.map("{title: point, dedup_key: point, action: {default: trigger}}")

    since = (NOW + timedelta(hours=1)).isoformat()
    until = (NOW + timedelta(hours=2)).isoformat()
    said = run("--source", "demo", "--since", since, "--until", until, "--json")

    assert sum(counts(said).values()) == 1


def test_a_body_that_was_none_as_a_whole_is_now_all_it_holds(
    desk: MappedDesk, run: Run
) -> None:
    desk.map("{elements: gone, title: text, action: {default: trigger}}")
    desk.post({"doors": [GOOD, BAD]})
    desk.map("{elements: doors, title: text, action: {default: trigger}}")

    assert counts(run("--source", "demo", "--json")) == {"now_mapped": 2}


def test_what_was_forgotten_is_counted_as_such(desk: MappedDesk, run: Run) -> None:
    desk.post(GOOD)
    owner = EventLog.open(desk.database.owner_dsn)
    with owner.transaction() as cursor:
        cursor.execute(
            "UPDATE vault.keys SET wrapped = NULL, destroyed_at = now(),"
            " destroyed_because = 'a test' WHERE owner = 'source:demo'"
        )
    owner.close()

    assert counts(run("--source", "demo", "--json")) == {"forgotten": 1}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--since", "monday"], "not an instant with its zone"),
        (["--policy", "/nowhere"], "name a file"),
        (["--vault-key", "/nowhere"], "master key"),
    ],
)
def test_a_wrong_option_is_told(run: Run, words: list[str], sentence: str) -> None:
    said = run("--source", "demo", *words, "--json")

    assert said.code == 2
    assert sentence in said.plain["error"]
