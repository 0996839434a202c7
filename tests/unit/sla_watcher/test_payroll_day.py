"""INC-16 of the day at Valmont, from the web form to the breach and its end."""

from shared.domain import events
from tests.support.builders.promises import Watch


def test_each_promise_of_the_day_is_told_at_its_instant() -> None:
    watch = Watch()

    assert watch.opened("09:10") == [
        "tto armed 09:40",
        "ttr armed 15:10",
        "update armed 11:10",
    ]
    assert watch.happens("09:14", events.IncidentAcknowledged) == [
        "tto met 09:14",
        "update met 09:14",
        "update armed 11:14",
    ]
    asked = {"reason": "user", "question": "Quel mois ?", "awaits_delivery": True}
    assert watch.happens("10:20", events.IncidentPaused, **asked) == [
        "ttr paused 10:20",
        "update met 10:20",
        "update armed 12:20",
        "update paused 10:20",
    ]
    assert watch.passes("11:20") == []
    assert watch.happens("11:20", events.IncidentResumed, cause="reply") == [
        "ttr resumed 11:20",
        "update resumed 11:20",
    ]
    assert watch.passes("13:24") == ["update breached 13:20"]
    assert watch.happens("13:25", events.IncidentInformed, message="On cherche.") == [
        "update overran 13:25",
        "update armed 15:25",
    ]
    assert watch.passes("15:24") == ["ttr warned 75 % 14:40"]
    assert watch.happens("15:24", events.IncidentInformed, message="Toujours.") == [
        "update met 15:24",
        "update armed 17:24",
    ]
    assert watch.passes("16:10:00") == []
    assert watch.passes("16:10:01") == ["ttr breached 16:10"]
    assert watch.passes("16:39") == []
    assert watch.happens("16:40", events.IncidentRestored) == [
        "ttr overran 16:40",
        "update met 16:40",
        "update armed 07-01 08:40",
    ]
    assert watch.happens("16:40", events.IncidentResolved, cycle=1) == [
        "update met 16:40"
    ]
    assert watch.passes("07-20 10:00") == []

    assert watch.clock("ttr").overrun_seconds == 30 * 60
    assert watch.clock("ttr").state == "breached"
