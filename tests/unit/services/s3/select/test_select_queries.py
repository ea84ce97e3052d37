import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.error import ServiceException
from lambent.services.s3.select.parser import parse_query
from lambent.services.s3.select.values import CsvRecord

PEOPLE = [
    {"name": "Ann", "age": 31, "town": {"name": "Ulm", "zips": [1, 2]}, "boss": None},
    {"name": "Bo", "age": 7, "town": {"name": "Bonn", "zips": []}},
    {"name": "Cy", "age": "40", "town": "Köln"},
]


def ask(expression, records=PEOPLE):
    query = parse_query(expression)
    found = [answer for record in records for answer in query.answers(record)]
    return [*found, *query.last_answers()]


def names(condition):
    return "".join(one["name"][0] for one in ask(f"SELECT s.name FROM S3Object s WHERE {condition}"))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("s.age > 8", "AC"),
        ("s.age <> 7 AND NOT s.name = 'Cy'", "A"),
        ("age BETWEEN 7 AND 31", "AB"),
        ("s.age NOT BETWEEN 8 AND 100", "B"),
        ("s.name IN ('Bo', 'Cy')", "BC"),
        ("s.name NOT IN ('Bo', 'Cy')", "A"),
        ("s.name LIKE '_y' OR s.name LIKE 'A%'", "AC"),
        ("s.name LIKE 'B!%' ESCAPE '!'", ""),
        ("s.boss IS NULL", "ABC"),
        ("s.boss IS MISSING", "BC"),
        ("s.boss IS NOT MISSING", "A"),
        ("s.boss = 'x' OR NOT s.boss = 'x'", ""),
        ("S3Object.town.name = 'Bonn'", "B"),
        ("s.town.zips[1] = 2", "A"),
        ("s.AGE = 7", "B"),
        ('s."AGE" = 7', ""),
        ("CAST(s.age AS int) % 2 = 1 AND -s.age < 0", "AB"),
        ("(s.age + 3) * 2 = 20", "B"),
        ("CASE WHEN s.age < 10 THEN true ELSE false END", "B"),
        ("UPPER(s.name) = 'ANN' OR CHAR_LENGTH(s.name) = 2", "ABC"),
        ("SUBSTRING(s.name, 2, 1) = 'n' OR SUBSTRING(s.name FROM 2) = 'o'", "AB"),
        ("COALESCE(s.boss, 'none') || '!' = 'none!'", "ABC"),
    ],
)
def test_conditions(condition, found):
    assert names(condition) == found


def test_columns_have_the_names_of_members_or_of_their_places():
    first = ask("SELECT s.town.name, s.age + 1, age AS years, s.nothing FROM S3Object[*] AS s LIMIT 1")
    assert first == [{"name": "Ulm", "_2": 32, "years": 31}]
    assert ask("SELECT s.* FROM S3Object s LIMIT 1") == PEOPLE[:1]
    assert ask("SELECT * FROM S3Object LIMIT 0") == []


def test_where_rows_come_from():
    assert ask("SELECT * FROM S3Object[*].town.zips[*] z") == [{"_1": 1}, {"_1": 2}, {}]
    assert ask("SELECT z FROM S3Object.town.zips[*] z LIMIT 1") == [{"_1": 1}]
    assert ask("SELECT * FROM S3Object", [[1, 2]]) == [{"_1": [1, 2]}]
    assert ask("SELECT * FROM S3Object[*].staff[*]", [[{"staff": [1]}]]) == [{}]


def test_what_is_counted_up():
    counted = "SELECT COUNT(*), COUNT(s.boss), SUM(s.age) AS all_years, AVG(s.age), MIN(s.name), MAX(s.name)"
    assert ask(f"{counted} FROM S3Object s") == [
        {"_1": 3, "_2": 0, "all_years": 78, "_4": 26.0, "_5": "Ann", "_6": "Cy"}
    ]
    assert ask("SELECT COUNT(*) FROM S3Object s WHERE s.age > 99") == [{"_1": 0}]
    assert ask("SELECT SUM(s.age) FROM S3Object s", []) == [{"_1": None}]


def test_places_of_a_line():
    line = CsvRecord(a="1", b="x")
    assert ask("SELECT s._2, s.a, s._3 FROM S3Object s WHERE s._1 = 1", [line]) == [{"_2": "x", "a": "1"}]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("", "ParseUnexpectedToken"),
        ("SELECT * FROM table", "ParseUnexpectedToken"),
        ("SELECT * FROM S3Object WHERE", "ParseUnexpectedToken"),
        ("SELECT * FROM S3Object LIMIT x", "ParseUnexpectedToken"),
        ("SELECT # FROM S3Object", "LexerInvalidChar"),
        ("SELECT SOUNDEX(s.a) FROM S3Object s", "UnsupportedFunction"),
        ("SELECT *, COUNT(*) FROM S3Object", "ParseUnsupportedSyntax"),
        ("SELECT COUNT(*) FROM S3Object GROUP BY a", "ParseUnsupportedSyntax"),
        ("SELECT " + "(" * 100_000, "ExpressionTooLong"),
        ("SELECT " + " " * 256 * 1024, "ExpressionTooLong"),
    ],
)
def test_expressions_that_are_refused(expression, code):
    with pytest.raises(ServiceException) as refused:
        parse_query(expression)
    assert refused.value.code == code


@pytest.mark.parametrize("expression", ["CAST(s.name AS int)", "s.age / 0", "s.name + 1", "SUM(s.name)"])
def test_values_that_are_refused(expression):
    with pytest.raises(ServiceException) as refused:
        ask(f"SELECT {expression} FROM S3Object s")
    assert refused.value.code == "CastFailed"


SOME = "SELECT|*|FROM|S3Object|s|WHERE|s.a|(|)|= 'x'|1|NOT|,|.|[|CASE|IN|-"
words = st.sampled_from(SOME.split("|"))


@given(st.lists(words, max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused(expression):
    try:
        ask(expression, [{"a": "x"}, [1], "x"])
    except ServiceException as refused:
        assert refused.status == 400


@given(st.dictionaries(st.text(min_size=1), st.none() | st.booleans() | st.integers() | st.text()))
def test_all_of_a_record_is_the_record(record):
    assert ask("SELECT * FROM S3Object", [json.loads(json.dumps(record))]) == [record]
