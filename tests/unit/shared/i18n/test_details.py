"""Sentences that are written in English are shown in the language of the page."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.intake.directory.givers import unknown_person
from services.projections.queue.expression import BadExpression, parse
from services.projections.queue.filter_fields import terms_of
from services.projections.web.api_client import ApiError
from services.projections.web.rendering import refusal_of
from shared.i18n.details import SENTENCE_MAX, detail_text
from shared.web.rendering import as_sentence

ROOT = Path(__file__).parents[4]
WRITTEN = (
    "services/intake/records/rules",
    "services/intake/on_call/rules",
    "services/escalation/commands.py",
    "services/escalation/notifications",
    "services/projections/queue",
    "services/sla_watcher/extensions",
    "shared/domain/incident",
    "shared/domain/sla",
)
"""Where refusals are written that the screens of the desk show."""
NOBODY_FOUND = (
    "Personne ici n’a le nom ou l’identifiant zoe\xa0: choisissez l’une des personnes "
    "proposées pendant la saisie, ou demandez à un administrateur de l’importer à "
    "l’écran «\xa0Personnes\xa0»."
)
_CALLS = frozenset({"Refused", "BadExpression", "Failed"})
_NOT_ON_A_SCREEN = ("there is no incident ",)


def _text(node: ast.expr) -> str | None:
    """Return a sentence, with a reference for everything that varies."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "INC-000001" for part in parts)
        case _:
            return None


def _sentences(place: str) -> Iterator[str]:
    found = ROOT / place
    for file in [found] if found.is_file() else sorted(found.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=args) if name in _CALLS:
                    yield from filter(None, map(_text, args))


SENTENCES = sorted(
    {
        sentence
        for place in WRITTEN
        for sentence in _sentences(place)
        if " " in sentence and not sentence.startswith(_NOT_ON_A_SCREEN)
    }
)


def test_every_refusal_of_a_command_is_in_french() -> None:
    missing = [each for each in SENTENCES if detail_text("fr", each) is None]

    assert len(SENTENCES) > 70
    assert missing == []


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        (
            "INC-000001 is resolved: reopen it first",
            "INC-000001 est résolu\xa0: rouvrez-le d’abord.",
        ),
        (
            "INC-000002 is merged: do this on INC-000001",
            "INC-000002 est fusionné\xa0: faites-le sur INC-000001.",
        ),
        ("the receiver answered HTTP 410", "le destinataire a répondu HTTP 410"),
        (
            "the directory has no e-mail address of costa: no mail can reach them",
            (
                "L’annuaire n’a pas d’adresse électronique de costa\xa0: "
                "aucun courriel ne lui parviendra."
            ),
        ),
        (unknown_person("zoe").reason, NOBODY_FOUND),
        ("nobody wrote that", None),
        ("the command is not well formed: see `errors`", None),
        ("x" * (SENTENCE_MAX + 1), None),
    ],
)
def test_what_fills_a_sentence_is_translated_with_it(
    sentence: str, text: str | None
) -> None:
    assert detail_text("fr", sentence) == text


@pytest.mark.parametrize(
    "written", ["priority:p9", "colour:red", "a,", '"a', "(a", "NOT NOT a", "mine:true"]
)
def test_what_is_wrong_with_a_filter_is_said_in_french(written: str) -> None:
    with pytest.raises(BadExpression) as wrong:
        parse(written, terms_of(None))

    error = ApiError(422, "filter", f"filter: {wrong.value}")
    assert "(au caractère " in refusal_of("fr", error)
    assert refusal_of("en", error) == as_sentence(f"{wrong.value}")


def test_an_agent_hears_the_sentence_and_not_what_its_code_tells_users() -> None:
    error = ApiError(409, "state", "INC-000001 is closed: reopen it first")

    assert refusal_of("en", error) == "INC-000001 is closed: reopen it first."
    unknown = ApiError(422, "invalid", "the body is not well formed", ("reason",))
    assert "champs marqués" in refusal_of("fr", unknown)
    assert "marked fields" in refusal_of("en", unknown)
