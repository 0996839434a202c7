"""A file of people is taken whole or refused with every mistake in it."""

import pytest

from services.intake.directory.file import read_csv, read_yaml
from shared.mistake import Mistake

GOOD = {"id": "nadia", "name": "Nadia B."}


def told(found: object) -> list[str]:
    assert isinstance(found, list), "it was taken"
    assert all(isinstance(each, Mistake) for each in found)
    return [str(each) for each in found]


def test_csv_and_yaml_say_the_same() -> None:
    row = {
        "id": "nadia", "name": "Nadia B.", "email": "nadia@desk.example",
        "phone": "+33 1 23 45 67 89", "language": "fr", "zone": "Europe/Paris",
        "client": "mairie",
    }  # fmt: skip
    line = ",".join(row.values())
    assert read_csv(f"{','.join(row)}\n{line}\n") == (row,)
    columns = "\n".join(f"  {k}: '{v}'" for k, v in row.items() if k != "id")
    assert read_yaml(f"nadia:\n{columns}\n") == (row,)


def test_a_column_the_file_does_not_have_is_not_in_the_row() -> None:
    assert read_csv("id,name\nnadia,Nadia B.\n") == (GOOD,)


def test_an_empty_cell_empties_the_column() -> None:
    assert read_csv("id,name,email\nnadia,Nadia B.,\n") == ({**GOOD, "email": None},)
    assert read_yaml("nadia: {name: Nadia B., email: }") == ({**GOOD, "email": None},)


def test_semicolons_windows_lines_and_quotes_are_csv_too() -> None:
    text = 'name;id\r\n"B.; ""Nadia""";nadia\r\n\r\n'
    assert read_csv(text) == ({"id": "nadia", "name": 'B.; "Nadia"'},)


def test_a_file_without_people_imports_nobody() -> None:
    assert read_csv("id,name\n") == ()


def test_every_mistake_is_told_with_its_row_and_column() -> None:
    text = (
        "id,name,email,phone,language,zone,client\n"
        "a,A,a@x,,,,\n"
        "b,,,0123456789,,,\n"
        "c c,C,,,fre,,\n"
        "d,D,,,,Europe/Pariss,x y\n"
        "a,A2,,,,,\n"
        "e,E\n"
    )
    found = told(read_csv(text))
    assert [each.rsplit(": ", 1)[0].split(":")[:2] for each in found] == [
        ["row 2", " email"],
        ["row 3", " name"],
        ["row 3", " phone"],
        ["row 4", " id"],
        ["row 4", " language"],
        ["row 5", " zone"],
        ["row 5", " client"],
        ["row 7", " 2 cells"],
    ]


def test_an_id_given_twice_is_told_with_the_row_it_stood_in() -> None:
    (found,) = told(read_csv("id,name\na,A\nb,B\na,C\n"))
    assert found == "row 4: id: also in row 2: keep one"


def test_headings_may_be_in_french_and_in_capitals_after_a_byte_order_mark() -> None:
    french = read_csv(
        "\ufeffIdentifiant;NOM;Courriel;Équipes;rôle\na;A;a@b.example;desk;agent\n"
    )
    assert french == read_csv("id,name,email,teams,role\na,A,a@b.example,desk,agent\n")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("id,name,mail", "row 1: mail: no such column: did you mean `email`?"),
        ("id,name,shoe size", "row 1: shoe size: no such column: take it out"),
        ("id,email", "row 1: name: missing: add this column"),
        ("name", "row 1: id: missing: add this column"),
        ("id,name,id", "row 1: id: given twice: keep one of them"),
        ("id,name,", "row 1: (blank): no such column: take it out"),
        ("", "row 1: id: missing: add this column"),
    ],
)
def test_a_wrong_header_is_told(header: str, words: str) -> None:
    assert words in told(read_csv(f"{header}\nx,y,z\n"))


@pytest.mark.parametrize("text", ['id,name\na,"b\n', 'id,name\na,"b"c\n'])
def test_open_quotes_are_told(text: str) -> None:
    assert "quotes" in told(read_csv(text))[0]


@pytest.mark.parametrize(
    "email",
    ["a@b", "a b@c.de", "a@b.c\nBcc: d@e.fr", "<a@b.fr>", "a@b.fr,c@d.fr", "@b.fr"],
)
def test_what_is_no_single_address_is_refused(email: str) -> None:
    assert "email" in told(read_csv(f'id,name,email\na,A,"{email}"\n'))[0]


def test_a_name_has_no_line_break() -> None:
    assert "control characters" in told(read_csv('id,name\na,"A\nB"\n'))[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nadia: {nam: N}", "line 1: nadia.nam: no such field: did you mean `name`?"),
        (
            "a: {name: A}\nb:\n  name: B\n  zone: Mars\n",
            "line 4: b.zone: not a time zone",
        ),
        ("a: {name: A, id: b}", "line 1: a.id: given by the key already"),
        ("a: Nadia", "line 1: a.name: missing: write the columns as"),
        ("a: {name: A, phone: 33123456789}", "in quotes"),
        ("a: {name: A}\na: {name: B}", "given twice"),
        ("- a", "mapping"),
    ],
)
def test_a_mistake_in_yaml_is_told_with_its_line(text: str, words: str) -> None:
    assert any(words in each for each in told(read_yaml(text)))
