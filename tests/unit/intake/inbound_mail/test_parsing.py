"""A mail is read as people read it, whatever its sender's program made of it."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.inbound_mail import parser
from services.intake.inbound_mail.message import KEPT_WORDS_MAX, Attachment
from services.intake.inbound_mail.parser import read_letter
from tests.support.mail.broken_mails import BROKEN
from tests.support.mail.mails_with_files import Part, mail_with
from tests.support.mail.raw_mails import mail, written


def test_who_wrote_what_and_when() -> None:
    letter = read_letter(mail("Bonjour,\n\nle portail est blanc.\n"))

    assert (letter.sender, letter.name) == ("costa@valmont.example", "M. Costa")
    assert letter.subject == "Portal down"
    assert letter.words == "Bonjour,\n\nle portail est blanc."
    assert letter.sent_at == datetime(2025, 6, 30, 6, 7, tzinfo=UTC)
    assert letter.automatic is None
    assert letter.incidents == ()


def test_an_address_is_the_same_in_capitals() -> None:
    assert read_letter(mail(sender="COSTA@Valmont.Example")).sender == (
        "costa@valmont.example"
    )


@pytest.mark.parametrize(
    ("charset", "said"),
    [("iso-8859-1", "é"), ("windows-1252", "€"), ("utf-8", "😡"), ("koi8-r", "я")],
)
def test_each_charset_is_read(charset: str, said: str) -> None:
    head = f"From: a@b.example\nContent-Type: text/plain; charset={charset}"

    assert read_letter(written(head, said, charset)).words == said


@pytest.mark.parametrize("charset", ["x-unknown", "us-ascii", "utf-8", '"', "idna"])
def test_a_charset_that_is_not_true_loses_no_word(charset: str) -> None:
    head = f"From: a@b.example\nContent-Type: text/plain; charset={charset}"

    assert read_letter(written(head, "déjà")).words == "déjà"


def test_a_subject_in_plain_bytes_keeps_its_accents() -> None:
    letter = read_letter(written("From: a@b.example\nSubject: Écran cassé"))

    assert letter.subject == "Écran cassé"


def test_encoded_words_are_decoded() -> None:
    head = (
        "From: =?utf-8?q?H=C3=A9l=C3=A8ne?= <h@b.example>\n"
        "Subject: =?iso-8859-1?Q?R=E9ponse?= =?utf-8?B?w6k=?="
    )

    letter = read_letter(written(head))

    assert (letter.name, letter.subject) == ("Hélène", "Réponseé")


def test_text_is_preferred_to_its_html() -> None:
    made = EmailMessage()
    made["From"] = "a@b.example"
    made.set_content("In words.")
    made.add_alternative("<p>In <b>HTML</b>.</p>", subtype="html")

    assert read_letter(made.as_bytes()).words == "In words."


def test_html_alone_becomes_text() -> None:
    made = EmailMessage()
    made["From"] = "a@b.example"
    page = "<style>p{}</style><p>First</p><p>Second &eacute;<br>third</p>"
    made.set_content(page, subtype="html")

    assert read_letter(made.as_bytes()).words.split() == [
        "First",
        "Second",
        "é",
        "third",
    ]


def test_a_footer_in_text_does_not_hide_words_in_html() -> None:
    made = EmailMessage()
    made["From"] = "a@b.example"
    made.set_content("<p>The words</p>", subtype="html")
    made.make_mixed()
    made.attach(_part("A footer of the list"))

    words = read_letter(made.as_bytes()).words

    assert "The words" in words
    assert "A footer" in words


def _part(words: str) -> EmailMessage:
    part = EmailMessage()
    part.set_content(words)
    return part


def test_attachments_are_named_and_their_content_is_read() -> None:
    made = EmailMessage()
    made["From"] = "a@b.example"
    made.set_content("See the picture.")
    made.add_attachment(
        b"x" * 300_000, maintype="image", subtype="png", filename="écran.png"
    )

    letter = read_letter(made.as_bytes())

    assert letter.words == "See the picture."
    assert letter.attachments == (Attachment("écran.png", "image/png", 300_000),)
    (file,) = letter.files
    assert (file.name, file.size) == ("écran.png", 300_000)
    assert file.content == b"x" * 300_000
    assert file.media_type == "text/plain"  # by its content


def test_a_file_in_which_a_mail_was_cut_off_is_not_taken_for_whole() -> None:
    whole = mail_with(Part(b"first", "a.txt"), Part(b"second" * 2_000, "b.txt"))

    first, second = read_letter(whole[:-3_000], is_cut=True).files

    assert (first.is_cut, second.is_cut) == (False, True)
    assert not any(each.is_cut for each in read_letter(whole).files)


def test_control_characters_go_and_line_breaks_are_one_kind() -> None:
    letter = read_letter(written("From: a@b.example", "a\x00b\x1b[0m\n\tc"))

    assert letter.words == "ab[0m\n\tc"


def test_what_is_quoted_stays_in_the_words_and_not_in_the_fresh_part() -> None:
    said = (
        "Le 40 312.\n\nLe lun. 30 juin 2025, Desk <d@p.example> a écrit :\n> Lequel ?"
    )

    letter = read_letter(mail(said))

    assert letter.words == said
    assert letter.fresh == "Le 40 312."


def test_a_thread_names_its_incident_before_the_subject_does() -> None:
    letter = read_letter(
        mail(
            subject="Re: [INC-000002] RE : Portal",
            in_reply_to="<INC-000001@permanence.example>",
            references="<x@y.example> <INC-000001@permanence.example>",
        )
    )

    assert letter.incidents == ("INC-000001", "INC-000002")
    assert letter.subject == "Portal"


def test_a_thread_of_another_desk_names_none_of_ours() -> None:
    raw = mail(references="<INC-000001@other.example>")

    assert read_letter(raw, "desk@permanence.example").incidents == ()
    assert read_letter(raw).incidents == ("INC-000001",)


def test_the_same_mail_has_the_same_key_whatever_way_it_came() -> None:
    straight = mail()
    by_another_way = b"Received: from elsewhere\r\n" + straight

    assert read_letter(straight).key == read_letter(by_another_way).key
    assert read_letter(straight).key != read_letter(mail(message_id="<2@b.c>")).key


def test_nobody_is_silenced_by_the_number_of_somebody_elses_mail() -> None:
    other = mail(sender="leroy@valmont.example")

    assert read_letter(mail()).key != read_letter(other).key


def test_without_a_number_the_bytes_tell_mails_apart() -> None:
    one, other = mail("one", message_id=None), mail("other", message_id=None)

    assert read_letter(one).key == read_letter(one).key
    assert read_letter(one).key != read_letter(other).key


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Jun 2025 25:00:00 +0200", "Thu, 1 Jan 99999 0:0"]
)
def test_a_date_that_is_none_is_no_date(date: str) -> None:
    assert read_letter(written(f"From: a@b.example\nDate: {date}")).sent_at is None


def test_a_very_long_mail_is_read_to_its_limit() -> None:
    letter = read_letter(mail("word " * 100_000))

    assert len(letter.words) == KEPT_WORDS_MAX


def test_deep_nesting_is_read_and_ends() -> None:
    inner = "Content-Type: text/plain\n\nwords"
    for depth in range(300):
        edge = f"b{depth}"
        inner = (
            f"Content-Type: multipart/mixed; boundary={edge}\n\n--{edge}\n{inner}\n"
            f"--{edge}--"
        )

    assert read_letter(f"From: a@b.example\n{inner}".encode()).sender == "a@b.example"


@given(st.binary(max_size=600))
def test_any_bytes_are_read(raw: bytes) -> None:
    read_letter(raw)


_HEADS = ("From", "Subject", "Date", "Content-Type", "References", "Message-ID")


@given(
    st.lists(st.tuples(st.sampled_from(_HEADS), st.text(max_size=60)), max_size=6),
    st.text(max_size=200),
)
def test_any_headers_are_read(heads: list[tuple[str, str]], body: str) -> None:
    lines = "\r\n".join(f"{name}: {value}" for name, value in heads)

    letter = read_letter(f"{lines}\r\n\r\n{body}".encode("utf-8", "replace"))

    assert "\x00" not in letter.words + letter.subject + letter.name


@pytest.mark.parametrize("authserv_id", [None, "mx.permanence.example"])
@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_a_broken_mail_is_a_mail_all_the_same(
    raw: bytes, authserv_id: str | None
) -> None:
    letter = read_letter(raw, "desk@permanence.example", authserv_id)

    assert letter == read_letter(raw, "desk@permanence.example", authserv_id)
    assert letter.unreadable is None
    assert not letter.authentic


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["From", "Sender", "To", "Date", "Content-Type"]),
            st.text('(<"\\),;:=?@ a\n\t', max_size=40),
            st.integers(1, 2_000),
        ),
        max_size=4,
    )
)
def test_whatever_a_header_repeats_the_mail_is_read(
    headers: list[tuple[str, str, int]],
) -> None:
    lines = (f"{name}: {text * times}" for name, text, times in headers)

    assert read_letter("\r\n".join(lines).encode(), None, "mx").unreadable is None


def test_of_a_mail_that_cannot_be_read_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(parser, "content_of", failing)

    letter, other = read_letter(mail("One")), read_letter(mail("Two"))

    assert letter.unreadable == "it cannot be read (RecursionError)"
    assert (letter.sender, letter.words) == ("", "")
    assert letter.key == read_letter(mail("One")).key != other.key
