"""A mail costs no more than its length, whatever its sender built it for."""

from email.parser import BytesParser
from email.policy import compat32

from services.intake.inbound_mail.content import (
    HTML_CHARACTERS_MAX,
    TABLES_CHARACTERS_MAX,
    text_of,
)
from services.intake.inbound_mail.message import (
    DELIMITERS_MAX,
    HEADER_LINES_MAX,
    LINES_TIMES_BOUNDARIES_MAX,
    PART_HEADER_CHARACTERS_MAX,
    with_short_headers,
    within_reach,
)
from services.intake.inbound_mail.parser import read_letter
from tests.support.mail.raw_mails import mail, written

HEAD = "From: a@b.example\nSubject: s\n"


def test_a_mail_of_people_is_parsed_whole() -> None:
    whole = mail("line\n" * 100_000)

    assert within_reach(whole) == whole


def test_lines_under_many_open_boundaries_are_cut_and_what_came_before_is_heard() -> (
    None
):
    nested = "".join(
        f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n'
        for n in range(100)
    )
    whole = written(HEAD + nested + "\nhelp!\n" + "a\n" * 100_000)

    parsed = within_reach(whole)

    assert parsed.count(b"\n") * 100 <= LINES_TIMES_BOUNDARIES_MAX
    assert read_letter(whole).words.startswith("help!")


def test_a_mail_of_a_million_parts_is_read_to_the_first_thousands() -> None:
    kind = "Content-Type: multipart/mixed; boundary=b"

    parsed = within_reach(written(HEAD + kind, "--b\n\nhi\n" * 50_000))

    assert parsed.count(b"--b") == DELIMITERS_MAX


def test_headers_beyond_thousands_go_and_the_words_stay() -> None:
    whole = written(HEAD + "X: y\n" * 50_000, "Help!")

    assert within_reach(whole).count(b"X: y") < HEADER_LINES_MAX
    letter = read_letter(whole)
    assert (letter.sender, letter.words) == ("a@b.example", "Help!")


def test_parameters_of_a_header_are_sought_in_its_beginning() -> None:
    kind = 'Content-Type: application/x; name="' + ";" * 100_000 + '"'
    part = BytesParser(policy=compat32).parsebytes(written(kind))

    short = with_short_headers(part)

    assert len(short["Content-Type"]) == PART_HEADER_CHARACTERS_MAX
    assert short.get_content_type() == "application/x"


def test_cells_of_a_long_page_stand_below_each_other() -> None:
    tall, wide = "a<br>" * TABLES_CHARACTERS_MAX, "b" * 50
    page = f"<table><tr><td>{tall}</td><td>{wide}</td></tr></table>"

    lines = text_of(page).splitlines()

    assert lines[0] == "a"
    assert lines[-1] == wide


def test_cells_of_a_short_page_stand_beside_each_other() -> None:
    page = "<table><tr><td>Room</td><td>12</td></tr></table>"

    assert text_of(page) == "Room  12"


def test_distances_of_a_style_make_no_spaces_and_what_it_hides_is_hidden() -> None:
    page = (
        '<div style="padding-left: 90000em"><p style="margin-top: 90000em">Help!</p>'
        '<p style="display: none">secret</p></div>'
    )

    assert text_of(page).strip() == "Help!"


def test_the_pages_of_a_mail_are_read_to_one_limit_together() -> None:
    word = "<i class='marked'>x</i>"
    page = f"--b\nContent-Type: text/html\n\n{word * 10_000}\n"
    kind = "Content-Type: multipart/mixed; boundary=b"

    letter = read_letter(written(HEAD + kind, page * 8))

    assert letter.words.count("x") == HTML_CHARACTERS_MAX // len(word)


def test_an_encoding_that_no_mail_is_written_in_is_not_tried() -> None:
    kind = "Content-Type: text/plain; charset=punycode"

    assert read_letter(written(HEAD + kind, "Help-me")).words == "Help-me"
