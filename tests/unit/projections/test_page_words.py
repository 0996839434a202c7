"""A page says everything in the language of who reads it, and asks for no other."""

import re
from pathlib import Path

import pytest
from starlette.requests import Request

import shared.web
from services.projections import web
from services.projections.saved_views.rules import USUAL
from services.projections.web.feed import of_all
from services.projections.web.rendering import page
from shared import contacts
from shared.domain.incident import Status
from shared.domain.sla import State
from shared.i18n.catalog import Language, text_of
from shared.web.language import language_of
from shared.web.rendering import as_sentence

FOLDERS = [Path(each.__path__[0]) for each in (web, shared.web, contacts)]
TEMPLATES = [each for folder in FOLDERS for each in folder.glob("templates/*.html")]


def _request(query: str = "", **headers: str) -> Request:
    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return Request({"type": "http", "query_string": query.encode(), "headers": raw})


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de,fr;q=0.5,en;q=0.4", "fr"),
        ("en;q=0.1, fr;q=0.2", "fr"),
        ("fr;q=0", "en"),
        ("*", "en"),
        ("fr;q=nonsense, ;;;,,", "en"),
    ],
)
def test_the_language_a_browser_likes_best_is_spoken(
    accepted: str, language: str
) -> None:
    assert language_of(_request(accept_language=accepted)) == language


def test_a_language_that_was_chosen_is_spoken_before_all_others() -> None:
    cookie = "permanence_lang=fr"

    assert language_of(_request(cookie=cookie)) == "fr"
    assert language_of(_request("lang=en", cookie=cookie)) == "en"
    assert language_of(_request("lang=xx", cookie=cookie)) == "fr"


def test_every_label_a_template_lists_has_a_text() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    listed = re.findall(r"for name in \(([^)]*)\)", text)
    names = set(re.findall(r'"(\w+)"', " ".join(listed)))

    assert len(names) > 20
    for name in names:
        contexts = ("page.field", "page.record")
        assert any(text_of("en", context, name) != name for context in contexts), name


def test_a_name_that_somebody_gave_is_escaped_and_never_a_text() -> None:
    shown = page(
        "queue.html",
        "en",
        queues=[],
        queue="<b>%(x)s",
        rows={"items": []},
        columns=USUAL,
        names={},
        zone="UTC",
        feed=of_all(0),
    )

    assert "&lt;b&gt;%(x)s" in bytes(shown.body).decode()


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "1 repeat"),
        ("en", 2, "2 repeats"),
        ("fr", 1, "1 répétition"),
        ("fr", 2, "2 répétitions"),
    ],
)
def test_one_repeat_is_not_told_as_many(
    language: Language, count: int, said: str
) -> None:
    row = {"repeats": count, "opened_at": "2025-06-01T08:00:00+00:00", "status": "new"}
    shown = page(
        "queue.html",
        language,
        rows={"items": [row]},
        columns=USUAL,
        names={},
        zone="UTC",
        feed=of_all(0),
    )

    assert f" · {said} · " in bytes(shown.body).decode()


def test_every_status_and_state_has_a_french_name() -> None:
    names = [*Status, *State]

    assert all(text_of("fr", "page.status", name) != name for name in names)


def test_nothing_is_asked_of_another_server() -> None:
    assets = [each for folder in FOLDERS for each in folder.glob("assets/*")]

    assert len(TEMPLATES) > 5
    assert len(assets) > 1
    for file in (*TEMPLATES, *assets):
        text = file.read_text(encoding="utf-8").replace(
            "http://www.w3.org/2000/svg", ""
        )
        assert not re.search(r"https?:|(?:src|href|url\()\s*=?\s*[\"']?//", text), file
        assert "| safe" not in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("the filter is empty", "The filter is empty."),
        ("name a `team`", "Name a `team`."),
        ("`answer_by` is over", "`answer_by` is over."),
        ("écrivez un motif", "Écrivez un motif."),
        ("Is it another log?", "Is it another log?"),
        ("It is over.", "It is over."),
        (" INC-000001 is closed ", "INC-000001 is closed."),
        ("", ""),
    ],
)
def test_what_the_api_says_is_a_sentence_on_a_page(text: str, sentence: str) -> None:
    assert as_sentence(text) == sentence
