"""`permanence quarantine`: asks a desk over HTTP, and says what it heard."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.intake.signals.mapped_desk import BAD, MENDED, MappedDesk
from tests.support.command_line import Ran, permanence
from tests.support.ports import reserved_port

pytestmark = pytest.mark.servers


Run = Callable[..., Ran]


def command(url: str, token: str, *words: object) -> Ran:
    env = {
        "PERMANENCE_API_URL": url,
        "PERMANENCE_TOKEN": token,
        "PERMANENCE_HOME": "/nowhere",
        "COLUMNS": "200",
    }
    return permanence("quarantine", *words, env=env)


@pytest.fixture
def run(desk: MappedDesk) -> Iterator[Run]:
    with desk.serving() as url:
        yield lambda *words: command(url, desk.tokens["admin"], *words)


def test_an_empty_quarantine_is_told_as_such(run: Run) -> None:
    assert run("list").out.strip() == "No elements found."
    assert run("retry", "--json").plain == {"released": 0, "waiting": 0, "items": []}


def test_what_waits_is_listed_and_shown_with_its_body(
    desk: MappedDesk, run: Run
) -> None:
    desk.post(BAD)

    listed = run("list", "--source", "demo", "--reason", "LIST it")
    (one,) = run("list", "--json").items
    shown = run("show", one["id"])

    assert listed.code == shown.code == 0
    assert "`values` does not list it" in listed.out
    assert "Door 7 stuck" in shown.out
    assert run("list", "--source", "other").out.strip() == "No elements found."


def test_all_are_tried_again_and_what_became_of_each_is_told(
    desk: MappedDesk, run: Run
) -> None:
    desk.post([BAD, {**BAD, "point": "d8"}])
    desk.post({**BAD, "up": "strange"})
    assert run("retry").code == 1
    desk.map(MENDED)

    tried = run("retry", "--adapter", "mapped")

    assert tried.code == 1, "one waits still"
    assert "opened INC-" in tried.out
    assert "2 elements released, 1 still waiting." in tried.out


def test_one_is_tried_or_discarded_by_its_number(desk: MappedDesk, run: Run) -> None:
    desk.post([BAD, {**BAD, "point": "d8"}])
    first, second = run("list", "--json").items
    desk.map(MENDED)

    assert run("retry", first["id"]).code == 0
    assert run("discard", second["id"], "--reason", "a test of doors").code == 0

    assert run("list").out.strip() == "No elements found."
    (entry,) = run("show", second["id"], "--json").plain["journal"]
    assert entry["reason"] == "a test of doors"


def test_a_round_follows_a_round_until_all_were_tried(
    desk: MappedDesk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.quarantine.TRIED_MAX", 2)
    desk.post([{**BAD, "point": f"d{n}"} for n in range(5)])
    desk.map(MENDED)

    assert "5 elements released, 0 still waiting." in run("retry").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show", 99], "nothing in quarantine has the number 99"),
        (["list", "--since", "monday"], "since"),
        (["list", "--state", "lost"], "state"),
        (["discard", 99, "--reason", "x"], "number 99"),
    ],
)
def test_what_is_not_understood_is_told(
    run: Run, words: list[object], sentence: str
) -> None:
    said = run(*words)

    assert said.code == 2
    assert sentence in said.err
    assert set(run(*words, "--json").plain) == {"error"}


def test_a_stranger_is_told(desk: MappedDesk) -> None:
    with desk.serving() as url:
        said = command(url, "pmn_unknown", "list", "--json")

    assert said.code == 2
    assert "token" in said.plain["error"]


def test_a_desk_that_is_away_is_told() -> None:
    nowhere = command(f"http://127.0.0.1:{reserved_port()}", "t", "list", "--json")
    unnamed = command("", "", "list", "--json")

    assert (nowhere.code, unnamed.code) == (3, 3)
    assert "is it running?" in nowhere.plain["error"]
    assert "make up" in unnamed.plain["error"]
