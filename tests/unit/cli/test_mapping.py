"""`permanence map`: a body in, signals out, and never a desk or a traceback."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from services.intake.signals.body import BODY_BYTES_MAX, FORM
from services.intake.signals.formats import ADAPTERS, ALSO_CALLED
from services.intake.signals.formats.ready import TEXTS
from tests.support.builders.format_bodies import GOOD
from tests.support.command_line import Ran, permanence
from tests.support.policies import FULL_FILE, full_text

FIRING = {
    "status": "firing",
    "labels": {"alertname": "Hot", "severity": "warning"},
    "startsAt": "2025-06-30T09:00:00.5+02:00",
    "fingerprint": "aa",
}


def run(*words: str, stdin: object = None) -> Ran:
    text = stdin if isinstance(stdin, str | bytes) else json.dumps(stdin)
    return permanence("map", *words, stdin=text, env={})


def test_the_signals_of_a_body_are_printed() -> None:
    said = run("--source", "alertmanager", stdin={"alerts": [FIRING]})

    assert said.code == 0
    assert said.plain == [
        {
            "action": "trigger",
            "title": "Hot",
            "severity": "warning",
            "dedup_key": "aa",
            "event_id": None,
            "occurred_at": "2025-06-30T07:00:00.500000Z",
        }
    ]


@pytest.mark.parametrize("name", ["Prometheus", "alert-manager", "azure-monitor"])
def test_a_format_is_known_by_what_people_call_it(name: str) -> None:
    said = run("--source", name, stdin={"alerts": [FIRING]})

    assert "no format" not in said.out


def test_every_other_name_is_that_of_a_format_there_is() -> None:
    assert set(ALSO_CALLED.values()) <= set(ADAPTERS)
    assert not set(ALSO_CALLED) & set(ADAPTERS)


def test_in_a_group_the_bad_element_is_an_entry_with_its_error() -> None:
    said = run("--source", "alertmanager", stdin={"alerts": [{}, FIRING]})

    assert said.code == 0
    assert [set(each) & {"error", "action"} for each in said.plain] == [
        {"error"},
        {"action"},
    ]
    assert said.plain[0]["index"] == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"alerts": [{}]}, "alerts.0.labels: an alert has labels"),
        ({}, "`alerts` is missing"),
        ("{", "not JSON"),
        ("", "not JSON"),
        ("[" * 99, "not JSON"),
        ("x" * (BODY_BYTES_MAX + 2), "bytes; at most"),
    ],
)
def test_a_body_that_is_none_is_one_error(body: object, words: str) -> None:
    said = run("--source", "alertmanager", stdin=body)

    assert said.code == 2
    assert set(said.plain) == {"error"}
    assert words in said.plain["error"]


def test_what_misses_a_field_that_must_be_there_is_invalid_and_names_it() -> None:
    """It has no action and no key: an entry that made them up would be taken."""
    said = run("--source", "zabbix", stdin={"status": "PROBLEM", "triggerid": "7"})

    assert said.code == 2
    assert said.plain == {
        "error": "hostname: `hostname` is missing: set it to {HOST.NAME} in the media"
        " type"
    }


def test_one_body_a_line_goes_on_after_a_bad_one() -> None:
    good = json.dumps({"alerts": [FIRING]})
    lines = [good, "{", "x" * (2 * BODY_BYTES_MAX), "", "\xff", good]

    said = run("--source", "alertmanager", "--jsonl", stdin="\n".join(lines))

    answers = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 2
    assert [isinstance(each, list) for each in answers] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_lines_that_are_all_good_end_well() -> None:
    good = json.dumps({"alerts": [FIRING]})

    said = run("--source", "alertmanager", "--jsonl", stdin=f"{good}\n{good}\n")

    assert said.code == 0
    assert len(said.out.splitlines()) == 2


def test_a_mapped_source_is_read_by_its_policy_in_its_zone() -> None:
    alarm = {"etat": "actif", "point": "P", "heure": "30/06/2025 09:00:00"}

    said = run(
        *("--source", "chaudiere", "--policy", str(FULL_FILE)),
        stdin={"alarmes": [{**alarm, "lieu": "quais", "texte": "Chaud"}]},
    )

    (one,) = said.plain
    assert (one["title"], one["severity"]) == ("quais Chaud", "warning")
    assert one["occurred_at"] == "2025-06-30T07:00:00Z"


def test_a_source_of_another_type_is_read_by_its_name_too() -> None:
    words = ("--source", "prom", "--policy", str(FULL_FILE))

    assert run(*words, stdin={"alerts": [FIRING]}).code == 0


@pytest.mark.parametrize("more", [(), ("--header", f"Content-Type: {FORM}")])
def test_a_form_is_read_as_one(more: tuple[str, ...]) -> None:
    form = "monitorID=779&monitorFriendlyName=Ticket+shop&alertType=1"

    said = run("--source", "uptimerobot", *more, stdin=form)

    assert [each["dedup_key"] for each in said.plain] == ["779"]


def test_a_binary_cloudevent_is_read_with_its_headers() -> None:
    attributes = {"specversion": "1.0", "id": "e-7", "source": "/doors", "type": "open"}
    headers = [f"ce-{name}: {value}" for name, value in attributes.items()]
    words = [word for header in headers for word in ("--header", header)]

    said = run("--source", "cloudevents", *words, stdin="Door 7 is open")

    assert (said.code, len(said.plain)) == (0, 1)
    assert "e-7" in said.plain[0]["event_id"]


def test_the_key_of_the_request_names_the_event() -> None:
    words = ("--source", "native", "--header", "Idempotency-Key: e-1")

    said = run(*words, stdin={"action": "trigger", "title": "Hot"})

    assert [each["event_id"] for each in said.plain] == ["e-1"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--source", "nobody"], "no format `nobody`"),
        (["--source", "mapped"], "with --policy"),
        (["--source", "x", "--policy", str(FULL_FILE)], "no source `x`"),
        (["--source", "x", "--policy", "/nowhere"], "name a file"),
        (["--source", "x", "--policy", str(Path(__file__))], "config check"),
        (["--source", "guichet", "--policy", str(FULL_FILE)], "no format `imap`"),
        (["--source", "native", "--header", "nothing"], "is not a header"),
        (["--source", "zabbix", "--show"], "cannot be copied: graylog"),
    ],
)
def test_a_wrong_option_is_told(options: list[str], words: str) -> None:
    said = run(*options, stdin={})

    assert said.code == 2
    assert words in said.plain["error"]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_format_that_is_a_mapping_reads_the_same_when_it_is_copied(
    name: str, tmp_path: Path
) -> None:
    source = textwrap.indent(run("--source", name, "--show").out, "    ")
    policy = tmp_path / "permanence.yaml"
    policy.write_text(full_text(("sources:\n", f"sources:\n  copied:\n{source}\n")))

    copied = run("--source", "copied", "--policy", str(policy), stdin=GOOD[name])

    assert copied.code == 0
    assert copied == run("--source", name, stdin=GOOD[name])


def test_it_starts_without_what_it_does_not_need() -> None:
    program = (
        "import sys; sys.argv[1:] = ['map', '--source', 'native']\n"
        "from cli.app import main\n"
        "try: main()\n"
        "finally: print([n for n in ('fastapi', 'psycopg') if n in sys.modules])"
    )
    ran = subprocess.run(  # our own words
        [sys.executable, "-c", program],
        input=b'{"action": "trigger", "title": "Hot"}',
        capture_output=True,
        check=True,
    )

    assert ran.stdout.decode().endswith("]\n[]\n")
