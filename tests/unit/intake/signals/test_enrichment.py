"""What the policy's table knows of a signal counts as if it had said so."""

from shared.domain.events.incident import IncidentAssigned, IncidentOpened
from tests.support.policies import mistakes
from tests.unit.intake.signals.alert_desk import Trouble, at_desk, types

TABLE = """
enrichment:
  - {when: {labels.host: "kiosk-*"}, set: {service: horaires, labels: {site: gare}}}
  - {when: {labels.site: gare, source: prom}, set: {team: exploitation}}
"""
KIOSK = {"host": "kiosk-7"}


def with_table(settings: str = "") -> Trouble:
    return at_desk(settings, ("\nsurveys:", f"{TABLE}surveys:"))


def test_a_row_sets_service_and_labels_and_the_next_one_sees_them() -> None:
    heard = with_table().hears("trigger", labels=KIOSK)

    opened, assigned = heard.events
    assert isinstance(opened, IncidentOpened)
    assert isinstance(assigned, IncidentAssigned)
    assert (opened.service, opened.labels) == ("horaires", {**KIOSK, "site": "gare"})
    assert (opened.team, assigned.team) == ("accueil", "exploitation")


def test_what_matches_no_row_is_as_it_was() -> None:
    heard = with_table().hears("trigger", labels={"host": "web-1"})

    assert types(heard) == ["opened"]


def test_troubles_agree_in_what_the_table_says() -> None:
    trouble = with_table(", correlate: {by: [labels.site], within: 10m}")
    trouble.hears("trigger", labels=KIOSK)

    assert trouble.hears("trigger", dedup_key="k2", labels=KIOSK).rule == "correlated"


def test_a_row_may_name_only_what_the_policy_has() -> None:
    wrong = TABLE.replace("horaires", "fax").replace("exploitation", "nobody")
    found = mistakes(("\nsurveys:", f"{wrong}surveys:"))

    assert sorted(str(each.path) for each in found) == [
        "enrichment[0].set.service",
        "enrichment[1].set.team",
    ]
