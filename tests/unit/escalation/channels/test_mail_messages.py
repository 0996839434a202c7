"""A letter by mail: recognisable, threaded, answered by no machine, bent by nobody."""

from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.escalation.notifications.channels.mail_message import (
    SUBJECT_MAX,
    Mailbox,
    MailMessage,
    mail_of,
)
from shared.i18n.messages import Message
from shared.security.signed_links import presented, tag_of
from tests.support.mail.outgoing_mail import DESK, LEFEVRE, MESSAGE, a_letter

LINE_MAX = 78
"""Characters of a line, as RFC 5322 recommends."""
OURS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Idempotency-Key",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
]


def as_read(letter: MailMessage) -> EmailMessage:
    read = BytesParser(policy=default).parsebytes(mail_of(letter).as_bytes())
    assert isinstance(read, EmailMessage)
    return read


def words(mail: EmailMessage) -> str:
    """The body as it was written: on its way a line ends with two characters."""
    text: str = mail.get_content()
    return text.replace("\r\n", "\n")


def test_it_says_what_it_is_to_people_and_machines() -> None:
    mail = as_read(a_letter())

    assert mail["From"] == "Centre de services <desk@desk.example>"
    assert mail["To"] == "Mme Lefèvre <lefevre@valmont.example>"
    assert mail["Subject"] == f"[INC-000042] {MESSAGE.subject}"
    assert mail["Date"] == "Mon, 30 Jun 2025 08:04:00 +0000"
    assert mail["In-Reply-To"] == mail["References"] == "<INC-000042@desk.example>"
    assert mail["Idempotency-Key"] == "INC-000042.3.receipt.lefevre"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert words(mail) == MESSAGE.body


@given(
    st.one_of(
        st.text(max_size=150),
        st.text("abcdefgh xyz", min_size=40, max_size=70),
    )
)
@example("Somebody is working on your report: Totaux faux dans la paie")
@example("0000000¡¡¡¡¡¡𐀀𐀀𐀀 ¡")
def test_a_subject_begins_in_its_first_line(topic: str) -> None:
    letter = replace(a_letter(), message=Message(topic, "body"))

    sent = mail_of(letter).as_bytes()

    assert b"\r\nSubject: [INC-000042]" in sent
    assert mail_of(letter).as_string().count("\nSubject: [INC-000042]") == 1
    assert max(map(len, sent.split(b"\r\n"))) <= LINE_MAX
    assert as_read(letter)["Subject"] == mail_of(letter)["Subject"]


def test_what_vouches_for_a_reply_is_where_programs_quote_it_and_answer_to() -> None:
    tag = tag_of(b"key", "INC-000042", LEFEVRE.address, date(2025, 6, 30))
    letter = replace(a_letter(), tag=tag, reply_to=f"desk+{tag}@desk.example")

    mail = as_read(letter)

    plain = mail_of(a_letter())["Message-ID"].removesuffix("@desk.example>")
    assert mail["Message-ID"] == f"{plain}.{tag}@desk.example>"
    assert mail["Reply-To"] == f"Centre de services <desk+{tag}@desk.example>"
    for header in ("Message-ID", "Reply-To"):
        assert presented(mail[header], "desk.example") == (tag,)


def test_a_repeat_is_the_same_to_the_byte() -> None:
    assert mail_of(a_letter()).as_bytes() == mail_of(a_letter()).as_bytes()


def test_each_key_has_its_own_message_id() -> None:
    one, other = mail_of(a_letter(key="one")), mail_of(a_letter(key="other"))

    assert one["Message-ID"] != other["Message-ID"]
    assert one["Message-ID"].endswith("@desk.example>")


@pytest.mark.parametrize("key", ["k" * 61, "clé", "a\r\nBcc: evil@x.example", "a b"])
def test_a_key_that_fits_no_header_stands_there_as_its_digest(key: str) -> None:
    mail = as_read(a_letter(key=key))

    assert mail["Idempotency-Key"] == mail["Message-ID"][1:41]
    assert mail.keys() == OURS


def test_the_longest_key_stands_there_as_it_is() -> None:
    raw = mail_of(a_letter(key="k" * 60)).as_bytes()

    assert b"\r\nIdempotency-Key: " + b"k" * 60 + b"\r\n" in raw


@given(st.text(), st.text(), st.text(), st.text(max_size=80))
def test_no_title_name_or_key_makes_a_header(
    subject: str, name: str, body: str, key: str
) -> None:
    evil = "\r\nBcc: evil@x.example\n\n"
    letter = a_letter(
        key=key.encode("utf-8", "replace").decode() + evil,
        to=Mailbox(LEFEVRE.address, name + evil),
        sender=Mailbox(DESK.address, evil + name),
        message=Message(subject + evil + subject, body),
    )

    mail = as_read(letter)

    assert mail.keys() == OURS
    assert [each.addr_spec for each in mail["To"].addresses] == [LEFEVRE.address]
    assert [each.addr_spec for each in mail["From"].addresses] == [DESK.address]
    # Python folds some lines before their first word, which is a space more.
    assert mail["Subject"].lstrip().startswith("[INC-000042] ")


def test_a_long_title_is_cut_where_it_still_says_that() -> None:
    letter = a_letter(message=Message("x" * 1_024, "whole: " + "x" * 1_024))

    mail = as_read(letter)

    assert len(mail["Subject"]) == SUBJECT_MAX
    assert mail["Subject"].endswith("x…")
    assert "x" * 1_024 in mail.get_content()


def test_a_title_of_several_lines_becomes_one_line() -> None:
    mail = as_read(a_letter(message=Message("no mail\r\n at\u2028all\x07", "words")))

    assert mail["Subject"] == "[INC-000042] no mail at all"


def test_words_that_cannot_be_written_do_not_stop_a_letter() -> None:
    mail = as_read(a_letter(message=Message("a\ud800b", "a\ud800b")))

    assert mail["Subject"] == "[INC-000042] ab"
    assert words(mail) == "a?b\n"


def test_a_domain_with_accents_is_written_as_mail_wants_it() -> None:
    mail = mail_of(a_letter(to=Mailbox("zoe@école.example")))

    assert mail["To"] == "zoe@xn--cole-9oa.example"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "zoe",
        "zoe@",
        "@valmont.example",
        "zoé@valmont.example",
        "a@b.example,c@d.example",
        "a b@c.example",
        "a@b.example>\r\nRCPT TO:<evil@x.example",
        "a@b.example\nBcc: evil@x.example",
        "a@" + "b" * 64 + ".example",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(ValueError, match=r"^mail cannot be sent to this address$"):
        mail_of(a_letter(to=Mailbox(address)))
