"""A step may page a room that a team reads; nobody has accepted by that."""

import pytest

from shared.domain import events
from shared.domain.policy.document import Policy
from tests.support.builders.escalation import Search
from tests.support.builders.promises import valmont
from tests.support.policies import full, mistakes

ROOM = "4xp9fdt77pncbef59f4k1qe83o"
FIRST_STEP = "    - {after: 0m,  page: {who: on_call}}"
TEAM = "schedule: astreinte}"
NIGHT = "night: {{members: [zoe], manager: zoe, channels: {{{channels}}}}}"


def with_channels(page: str, channels: str = "") -> Policy:
    """Return the policy of Valmont whose support has a room, and pages `page` first."""
    own = channels or f"ops: {{channel: mattermost, to: {ROOM}}}"
    return valmont(
        (FIRST_STEP, f"    - {{after: 0m, page: {page}}}"),
        (TEAM, f"schedule: astreinte, channels: {{{own}}}}}"),
    )


def at_n2(policy: Policy) -> Search:
    search = Search(policy)
    search.opened("09:10", priority="p2", service="vpn")
    search.happens("09:30", events.IncidentAssigned, team="support")
    search.passes("09:40")
    return search


def requested(search: Search, kind: str) -> list[events.NotificationRequested]:
    return [
        each
        for each in search.said
        if isinstance(each, events.NotificationRequested) and each.kind == kind
    ]


def test_a_channel_of_a_team_is_paged_with_the_people_of_the_step() -> None:
    search = at_n2(with_channels("[{channel: ops}, {who: on_call}]"))
    pages = [e for e in search.said if isinstance(e, events.EscalationPaged)]

    assert [(e.who, e.channel, e.team_channel, e.people) for e in pages] == [
        ("channel", "mattermost", "ops", ()),
        ("on_call", None, None, ("bruno",)),
    ]
    assert [
        (e.channel, e.team_channel, e.person, e.method)
        for e in requested(search, "page")
    ] == [("mattermost", "ops", None, None), ("mail", None, "bruno", None)]


def test_two_channels_of_one_step_are_told_under_keys_of_their_own() -> None:
    second = "{channel: matrix, to: '!night:matrix.example'}"
    channels = f"ops: {{channel: mattermost, to: {ROOM}}}, night: {second}"
    search = at_n2(with_channels("[{channel: ops}, {channel: night}]", channels))
    pages = requested(search, "page")

    assert [e.team_channel for e in pages] == ["ops", "night"]
    assert len({e.key for e in pages}) == 2


def test_a_page_of_a_channel_that_fails_alarms_nobody_and_stops_no_step() -> None:
    search = at_n2(with_channels("{channel: ops}"))
    (page,) = requested(search, "page")
    after = [*search.ends("09:41", page.key, failed=True), *search.passes("09:46")]

    assert after == ["notification.failed", "09:45 page chloe", "page → chloe"]


def test_a_channel_is_told_once_that_somebody_accepted_and_people_as_before() -> None:
    search = at_n2(with_channels("[{channel: ops}, {who: on_call}]"))
    search.passes("09:46")
    search.happens("09:50", events.IncidentAcknowledged, by="person:bruno")
    (accepted,) = [e for e in search.said if isinstance(e, events.EscalationAccepted)]
    told = requested(search, "taken_by_colleague")

    assert (accepted.others_paged, accepted.team_channels) == (("chloe",), ("ops",))
    assert [(e.person, e.team_channel) for e in told] == [
        ("chloe", None),
        (None, "ops"),
    ]


@pytest.mark.parametrize(
    ("channels", "path", "words"),
    [
        ("ops: {channel: mattermost, to: '@zoe'}", "ops", "26 letters and digits"),
        ("ops: {channel: slack, to: U0123ABCD}", "ops", "`C0123ABCD`"),
        ("ops: {channel: matrix}", "ops", "the id of the room"),
        ("ops: {channel: ntfy, to: alerts}", "ops", "PERMANENCE_TEAM_CHANNELS"),
        ("ops: {channel: sms}", "ops.channel", "'mattermost', 'matrix'"),
        ("webhook: {channel: ntfy}", "webhook", "the receiver of pages of the desk"),
    ],
)
def test_a_mistake_in_a_channel_is_told_by_its_path(
    channels: str, path: str, words: str
) -> None:
    team = NIGHT.format(channels=channels)
    (found,) = mistakes(("teams:\n", f"teams:\n  {team}\n"))

    assert found.path == f"teams.night.channels.{path}"
    assert words in found.sentence


def test_two_teams_do_not_share_the_name_of_a_channel() -> None:
    teams = [
        NIGHT.format(channels="ops: {channel: ntfy}").replace("night", name)
        for name in ("night", "day")
    ]
    (found,) = mistakes(("teams:\n", f"teams:\n  {teams[0]}\n  {teams[1]}\n"))

    assert found.path == "teams.day.channels.ops"
    assert "a channel of the team night" in found.sentence


def test_who_stands_in_for_nobody_on_call_is_never_a_channel_of_a_team() -> None:
    team = NIGHT.format(channels="ops: {channel: ntfy}")
    (found,) = mistakes(
        ("teams:\n", f"teams:\n  {team}\n"),
        (
            "nobody_on_call: {page: {team: exploitation, who: manager}}",
            "nobody_on_call: {page: {channel: ops}}",
        ),
    )

    assert found.path == "escalation.nobody_on_call.page"
    assert "only the steps of a policy" in found.sentence


def test_a_document_with_channels_is_read_back_as_it_was_applied() -> None:
    team = NIGHT.format(channels="ops: {channel: ntfy}")
    policy = full(("teams:\n", f"teams:\n  {team}\n"))

    assert Policy.from_document(policy.document()) == policy
