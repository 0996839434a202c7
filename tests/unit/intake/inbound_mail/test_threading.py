"""A letter goes to the incident it answers, and speaks for its reporters only."""

from dataclasses import replace
from datetime import timedelta

from services.intake.inbound_mail.message import Attachment, InboundMail
from services.intake.inbound_mail.parser import read_letter
from services.intake.inbound_mail.placement import (
    MailContext,
    Placement,
    placed,
    title_of,
    words_of,
)
from shared.domain.bounded_text import WORDS_BYTES_MAX, WORDS_MAX
from shared.domain.commands.incident import Attach, Open, Reopen
from shared.domain.events.incident import (
    IncidentCancelled,
    IncidentClosed,
    IncidentContacted,
    IncidentPaused,
    IncidentResolved,
    IncidentResumed,
)
from shared.domain.incident import evolve, replay
from tests.support.mail.raw_mails import mail
from tests.support.policies import full
from tests.unit.intake.commands.scenario import (
    INC,
    LATER,
    NINE,
    called,
    event,
    given,
    reported,
)

POLICY = full()
NOW = MailContext(LATER, "email", confirmed=True)
LETTER = read_letter(mail("Ça recommence.", subject=f"Re: [{INC}] Portail"))
CLOSED = (reported(), event(IncidentResolved, cycle=1), event(IncidentClosed))


def place(
    person: str, *history: object, letter: InboundMail = LETTER, **more: object
) -> Placement:
    incident = replay(history)  # type: ignore[arg-type] # events of one incident
    policy = full(*more.pop("edits", ()))  # type: ignore[misc] # pairs of texts
    arrival = replace(NOW, **more)  # type: ignore[arg-type] # its fields
    return placed(letter, person, incident, arrival, policy)


def test_a_letter_that_names_nothing_opens_one() -> None:
    letter = read_letter(mail("Rien ne marche.", subject="Portail"))
    found = place("costa", letter=letter)

    (command,) = found.commands
    assert isinstance(command, Open)
    assert (command.title, command.description) == ("Portail", "Rien ne marche.")
    assert (command.reporter, command.channel) == ("costa", "email")
    assert found.note is None


def test_a_letter_that_names_what_is_not_here_is_heard_all_the_same() -> None:
    found = place("costa")

    assert isinstance(found.commands[0], Open)
    assert found.note == f"it names {INC}, which is not here"


def test_an_answer_of_its_reporter_is_attached() -> None:
    found = place("lefevre", reported())

    (command,) = found.commands
    assert isinstance(command, Attach)
    assert not command.unconfirmed
    assert (found.incident, found.note) == (INC, None)


def test_an_answer_of_its_reporter_resumes() -> None:
    paused = event(IncidentPaused, reason="user", question="Lequel ?")
    (command,) = place("lefevre", reported(), paused).commands

    assert isinstance(command, Attach)
    events = given(reported(), paused).when(command).events()
    assert isinstance(events[-1], IncidentResumed)


def test_a_stranger_resumes_nothing_and_becomes_no_reporter() -> None:
    paused = event(IncidentPaused, reason="user", question="Lequel ?")
    found = place("mallory", reported(), paused)

    (command,) = found.commands
    assert isinstance(command, Attach)
    assert found.note
    (contacted,) = given(reported(), paused).when(command).events()
    incident = replay([reported(), paused, contacted])
    assert incident is not None
    assert incident.reporters == {"lefevre"}
    assert incident.status == "paused"


def test_what_may_be_from_anybody_resumes_and_reopens_nothing() -> None:
    paused = event(IncidentPaused, reason="user", question="Lequel ?")
    found = place("lefevre", reported(), paused, confirmed=False)

    (command,) = found.commands
    assert found.note == "nothing proves who sent it: it speaks for nobody yet"
    (contacted,) = given(reported(), paused).when(command).events()
    assert isinstance(contacted, IncidentContacted)
    assert (contacted.unconfirmed, contacted.sender_unconfirmed) == (True, True)
    closed = place("lefevre", *CLOSED, confirmed=False)
    assert [type(command) for command in closed.commands] == [Attach]


def test_a_stranger_who_writes_twice_is_a_stranger_still() -> None:
    first = called("mallory", unconfirmed=True)

    (command,) = place("mallory", reported(), first).commands

    assert isinstance(command, Attach)
    assert command.unconfirmed


def test_what_a_stranger_says_keeps_it_from_closing_in_silence() -> None:
    resolved = replay([reported(), event(IncidentResolved, cycle=1)])
    assert resolved is not None

    assert evolve(resolved, called("mallory", unconfirmed=True)).answered


def test_an_answer_to_a_resolved_one_is_attached_and_reopens_nothing() -> None:
    found = place("lefevre", *CLOSED[:2])

    assert [type(command) for command in found.commands] == [Attach]


def test_an_answer_to_a_closed_one_reopens_it_in_its_window() -> None:
    found = place("lefevre", *CLOSED)

    assert [type(command) for command in found.commands] == [Attach, Reopen]


def test_a_stranger_reopens_nothing() -> None:
    assert [type(command) for command in place("mallory", *CLOSED).commands] == [Attach]


def test_the_policy_says_what_answers_reopen() -> None:
    never = ("reopen_within:", "replies_reopen: never\n  reopen_within:")
    always = ("reopen_within:", "replies_reopen: resolved\n  reopen_within:")

    assert len(place("lefevre", *CLOSED, edits=[never]).commands) == 1
    assert len(place("lefevre", *CLOSED[:2], edits=[always]).commands) == 2


def test_an_answer_past_the_window_opens_one_that_follows() -> None:
    found = place("lefevre", *CLOSED, at=LATER + timedelta(days=60))

    (command,) = found.commands
    assert isinstance(command, Open)
    assert command.follows == INC
    assert found.incident is None


def test_an_answer_to_a_cancelled_one_opens_one_that_follows() -> None:
    cancelled = event(IncidentCancelled, reason="not_an_incident")

    (command,) = place("lefevre", reported(), cancelled).commands

    assert isinstance(command, Open)
    assert command.follows == INC


def test_a_letter_that_lay_there_was_reported_when_it_came() -> None:
    (late,) = place("costa", arrived_at=NINE).commands
    (soon,) = place("costa", arrived_at=LATER - timedelta(seconds=30)).commands
    (ahead,) = place("costa", arrived_at=LATER + timedelta(days=9)).commands

    assert isinstance(late, Open)
    assert isinstance(soon, Open)
    assert isinstance(ahead, Open)
    assert late.reported_at == NINE
    assert late.backdated_because
    assert soon.reported_at is None
    assert ahead.reported_at is None


def test_the_title_is_the_subject_else_the_first_words_else_a_mark() -> None:
    assert title_of(LETTER) == "Portail"
    assert title_of(replace(LETTER, subject="")) == "Ça recommence."
    assert title_of(replace(LETTER, subject=" \u200b ")) == "Ça recommence."
    assert title_of(replace(LETTER, subject="", words="", fresh="")) == "…"


def test_what_came_along_is_named_after_the_words() -> None:
    letter = replace(LETTER, attachments=(Attachment("plan.pdf", "x/y", 31_415),))

    assert words_of(letter) == "Ça recommence.\n📎 plan.pdf (31 kB)"


def test_long_words_are_cut_where_a_contact_ends() -> None:
    many = tuple(Attachment("n" * 200, "x/y", 1) for _ in range(50))
    for words in ("é" * 40_000, "😡" * 40_000, "a" * 40_000):
        cut = words_of(replace(LETTER, words=words, attachments=many))

        assert cut is not None
        assert cut.endswith("[…]\n📎 × 50")
        assert len(cut) <= WORDS_MAX
        assert len(cut.encode()) <= WORDS_BYTES_MAX
