"""People read the name of a service, in their language where it has one there."""

from shared.domain.policy.contracts import Service


def service(**names: str) -> Service:
    return Service.model_validate(
        {"name": names, "criticality": "high", "support": ["desk"]}
    )


def test_a_service_is_called_by_its_name_in_the_language_asked_for() -> None:
    assert service(en="Web site", fr="Site web").called("fr") == "Site web"


def test_a_service_without_a_name_in_a_language_keeps_the_one_it_has() -> None:
    assert service(en="Web site").called("fr") == "Web site"
