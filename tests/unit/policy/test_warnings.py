"""What a policy may say and will hardly mean: allowed, and warned of."""

import pytest

from docs.generate import policy as page
from services.intake.policy import store as policy_store
from shared.mistake import Mistake
from tests.support.policies import FULL, full, full_text

TO_COME = {"surveys.clients.anonymous"}
_ANONYMOUS = (
    "{audience: clients,",
    "{audience: clients, anonymous: {}, min_answers: 5,",
)


def warned(*changes: tuple[str, str]) -> list[Mistake]:
    """Return the warnings for the full policy, changed like this."""
    return policy_store.warnings(None, full_text(*changes), full(*changes))


def test_what_does_nothing_yet_is_warned_of_where_it_is_written() -> None:
    found = {each.path: each for each in warned(_ANONYMOUS)}

    assert found.keys() == TO_COME
    assert all("does nothing yet" in each.sentence for each in found.values())
    lines = full_text(_ANONYMOUS).splitlines()
    line = found["surveys.clients.anonymous"].line
    assert line is not None
    assert "anonymous: {}" in lines[line - 1]


def test_what_is_left_out_is_not_warned_of() -> None:
    assert warned() == []


def test_the_reference_marks_what_the_check_warns_of() -> None:
    marked = [line for line in page.page().splitlines() if "**To come" in line]

    names = {line.split("`")[1] for line in marked}
    assert names == {"anonymous"}


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (
            ("tto: {p1: 10m, p2: 20m", "tto: {p1: 30m, p2: 20m"),
            "targets.or.tto.p1",
            "P1 has 30m, which is slower than P2 with 20m",
        ),
        (
            ("p1: 8h, p2: 12h, p3: 24h", "p1: 8h, p2: 25h, p3: 24h"),
            "targets.argent.ttr.p2",
            "P2 has 25h",
        ),
        (
            ("update: {p1: 20m, p3: 4h}", "update: {p1: 5h, p3: 4h}"),
            "targets.or.update.p1",
            "slower than P3",
        ),
        (
            ("tto: {p1: 30m, p2: 1h, p3: 4h", "tto: {p1: 30m, p2: 1h, p3: 25h"),
            "targets.argent.tto.p3",
            "longer than all of TTR (24h)",
        ),
    ],
)
def test_targets_that_are_hardly_meant_are_warned_of(
    change: tuple[str, str], path: str, words: str
) -> None:
    found = [each for each in warned(change) if each.path == path]

    assert any(words in each.sentence for each in found)
    assert all("is that meant?" in each.sentence for each in found)


@pytest.mark.parametrize(
    ("step", "path", "words"),
    [
        ("priorities: [p1, p2], page: {who: manager}", "", "pages nobody for P3, P4"),
        (
            "page: [{schedule: garde, who: next, role: secondary}]",
            "[0].page",
            "nobody is ever secondary in garde",
        ),
    ],
)
def test_a_step_that_cannot_page_anybody_is_warned_of(
    step: str, path: str, words: str
) -> None:
    policies = f"  policies: {{own: [{{after: 0m, {step}}}]}}\n  ping_pong: 3"
    found = [
        each
        for each in warned(("  ping_pong: 3", policies))
        if each.path not in TO_COME
    ]

    assert [each.path for each in found] == [f"escalation.policies.own{path}"]
    assert words in found[0].sentence


_SECOND_TEAM = (
    "  editeur: {level: n3",
    "  applis: {level: n2, members: [lucas], manager: lucas%s}\n  editeur: {level: n3",
)


def _about_pages(
    pages: str, own: str = "", has_it: str = "own"
) -> list[tuple[str, str]]:
    """Return what is said of pages if a second team has `own` policy or the shared one.

    `pages` are those of the first step; `has_it` is for what it has its own.
    """
    before, after = _SECOND_TEAM
    policies = f"  policies: {{own: {own}}}\n" if own else ""
    others = FULL[FULL.index("    - {after: 10m") : FULL.index("  hierarchical:")]
    found = warned(
        (before, after % (f", escalation: {has_it}" if own else "")),
        ("page: {schedule: garde, who: on_call}", f"page: {pages}"),
        (others, ""),
        ("  ping_pong: 3", f"{policies}  ping_pong: 3"),
    )
    return [(each.path, each.sentence) for each in found if each.path not in TO_COME]


@pytest.mark.parametrize(
    ("page", "key", "whom", "instead"),
    [
        (
            "{schedule: garde, who: on_call}",
            "schedule",
            "garde",
            "leave `schedule` out",
        ),
        ("{team: exploitation, who: members}", "team", "exploitation", "`team` out"),
        ("{person: tariq}", "person", "tariq", "page the team that has them"),
    ],
)
@pytest.mark.parametrize("is_shared", [True, False])
def test_a_step_that_pages_people_of_another_team_is_warned_of(
    page: str, key: str, whom: str, instead: str, *, is_shared: bool
) -> None:
    if is_shared:
        place, said = "functional[0].page", _about_pages(page)
    else:
        steps = f"{{steps: [{{after: 0m, page: [{{who: members}}, {page}]}}]}}"
        place = "policies.own.steps[0].page[1]"
        said = _about_pages("{who: members}", steps)

    ((path, sentence),) = said
    assert path == f"escalation.{place}.{key}"
    assert f"pages {whom} for incidents of applis" in sentence
    assert instead in sentence


@pytest.mark.parametrize("priority", ["p1", "p2"])
def test_only_priorities_for_which_a_team_has_the_steps_count(priority: str) -> None:
    page = f"priorities: [{priority}], page: {{person: tariq}}"
    steps = f"[{{after: 0m, {page}}}, {{after: 5m, page: {{who: members}}}}]"
    has_it = "[{policy: own, priorities: [p1]}]"
    said = _about_pages("{who: members}", steps, has_it)

    assert [path for path, _ in said] == (
        ["escalation.policies.own[0].page.person"] if priority == "p1" else []
    )


@pytest.mark.parametrize(
    "page",
    [
        "{who: members}",
        "{team: exploitation, who: manager}",
        "{person: ghislaine}",  # a manager
        "{channel: webhook}",
    ],
)
def test_who_has_the_incident_and_managers_may_be_paged(page: str) -> None:
    assert _about_pages(page) == []
