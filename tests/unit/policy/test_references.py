"""Whatever a policy names is in it, or the mistake says where to add it."""

import pytest

from shared.domain.policy.teams import PLACES
from tests.support.policies import full, mistakes


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (("  team: accueil\n", "  team: acceuil\n"), "desk.team"),
        (("  calendar: jour\n", "  calendar: jours\n"), "desk.calendar"),
        (
            ("exploitation, editeur]", "exploitation, tiers]"),
            "services.billetterie.support[2]",
        ),
        (("calendar: lisbonne", "calendar: porto"), "contracts.fret.calendar"),
        (
            ("p1_calendar: toujours", "p1_calendar: jamais"),
            "contracts.ville.p1_calendar",
        ),
        (("targets: argent", "targets: bronze"), "contracts.fret.targets"),
        (
            ("services: [horaires], cal", "services: [bus], cal"),
            "contracts.fret.services[0]",
        ),
        (
            ("ines, jos]}}", "ines, joost]}}"),
            "schedules.garde.rotation.participants[2]",
        ),
        (
            ("{billetterie: [tariq", "{guichets: [tariq"),
            "teams.exploitation.skills.guichets",
        ),
        (
            ("[tariq, ines]}", "[tariq, odette]}"),
            "teams.exploitation.skills.billetterie[1]",
        ),
        (
            ("{schedule: garde, who: next}", "{schedule: nuit, who: next}"),
            "escalation.functional[1].page.schedule",
        ),
        (
            ("{team: exploitation, who: members}", "{team: x, who: members}"),
            "escalation.functional[2].page.team",
        ),
        (
            (
                "nobody_on_call: {page: {team: exploitation",
                "nobody_on_call: {page: {team: y",
            ),
            "escalation.nobody_on_call.page.team",
        ),
        (("team: causes", "team: raisons"), "problems.team"),
        (("service: horaires, hold", "service: quais, hold"), "sources.quais.service"),
        (
            ("service: billetterie, start", "service: gare, start"),
            "maintenance.dimanche.service",
        ),
        (
            ("{services: [billetterie]}", "{services: [gare]}"),
            "surveys.voyageurs.scope.services[0]",
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_told(change: tuple[str, str], path: str) -> None:
    assert path in [each.path for each in mistakes(change)]


def test_a_near_miss_is_offered() -> None:
    (found,) = mistakes(("calendar: lisbonne", "calendar: lisbone"))
    assert "did you mean `lisbonne`?" in found.sentence


def test_a_label_needs_no_service_of_its_name() -> None:
    assert full(("labels.app", "labels.nobody_knows")).sources["prom"]


def test_without_a_team_named_problems_go_to_the_team_problem() -> None:
    (found,) = mistakes(("  team: causes\n", ""))
    assert found.path == "problems"
    assert full(("  team: causes\n", ""), ("  causes: {", "  problem: {")).problems


def test_a_text_lacks_no_language_of_the_desk() -> None:
    found = mistakes(
        (", nl: Dienstregeling", ""),
        (', nl: "Vertrouwen?"', ""),
        ("languages: [fr, nl]", "languages: [fr, nl, de]"),
    )
    paths = [each.path for each in found if "nl, de" in each.sentence]
    assert paths == ["services.horaires.name", "surveys.clients.questions.v1[0]"]


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("{reference}. R", "{ref}. R", "there is no place {ref}: use {reference}"),
        ("{reference}. R", "{0}. R", "there is no place {0}"),
        ("{reference}. R", "{reference. R", "brace"),
        ("{reference}. R", "{due.year}. R", "there is no place {due.year}"),
    ],
)
def test_a_template_for_answers_has_only_places_that_are_replaced(
    before: str, after: str, why: str
) -> None:
    (found,) = mistakes((before, after))

    assert str(found.path).startswith("answer_templates.en-cours.text.fr")
    assert why in found.sentence
    assert PLACES == ("reference", "name", "due")


def test_a_template_for_answers_is_there_in_every_language_of_the_desk() -> None:
    (found,) = mistakes((', nl: "We zijn ermee bezig"}', "}"))

    assert "add the text in nl" in found.sentence


@pytest.mark.parametrize("name", ["mine", "preview"])
def test_a_schedule_does_not_have_the_name_of_a_page_of_the_desk(name: str) -> None:
    found = mistakes(("  garde: {timezone", f"  {name}: {{timezone"))

    sentences = {each.path: each.sentence for each in found}
    assert "a page of the desk has this name" in sentences[f"schedules.{name}"]
