"""The grammar of queries: what is read, how it binds, and where it is said to be wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.logs.insights.errors import MalformedQueryError
from lambent.services.logs.insights.parser import parse
from lambent.services.logs.insights.plan import check
from lambent.services.logs.insights.syntax import (
    Binary,
    Call,
    Column,
    Constant,
    Dedup,
    Expression,
    Field,
    Filter,
    In,
    Like,
    Limit,
    Parse,
    Pattern,
    Period,
    Sort,
    Stats,
    Unary,
)

_PLAIN = st.from_regex(r"[a-z]{1,8}(\.[a-z0-9]{1,3})?", fullmatch=True)
_KEYWORDS = {"and", "or", "not", "in", "like", "as", "by", "asc", "desc"}
_NAMES = _PLAIN.filter(lambda name: name not in _KEYWORDS)
_CONSTANTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\\"), max_size=12),
    st.integers(0, 10**12),
)
_PERIODS = st.builds(Period, count=st.integers(1, 999), unit=st.sampled_from(["s", "m", "h", "d", "mo"]))


def _deeper(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    operators = st.sampled_from(["and", "or", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "^"])
    return st.one_of(
        st.builds(Unary, operator=st.sampled_from(["not", "-"]), operand=inner),
        st.builds(Binary, operator=operators, left=inner, right=inner),
        st.builds(Like, subject=inner, pattern=st.builds(Pattern, expression=st.just(r"a/\d+"))),
        st.builds(In, subject=inner, choices=st.lists(inner, max_size=3).map(tuple)),
        st.builds(Call, name=_NAMES, arguments=st.lists(inner | _PERIODS, max_size=3).map(tuple)),
    )


_EXPRESSIONS = st.recursive(
    st.builds(Field, name=_NAMES) | st.builds(Constant, value=_CONSTANTS), _deeper, max_leaves=12
)


def written(node: Expression) -> str:
    """An expression as a query writes it, with every pair of parentheses."""
    match node:
        case Field(name=name):
            return f"`{name}`"
        case Constant(value=str(value)):
            return '"' + value.replace('"', '\\"') + '"'
        case Constant(value=value):
            return str(value)
        case Period(count=count, unit=unit):
            return f"{count}{unit}"
        case Pattern(expression=expression):
            return "/" + expression.replace("/", r"\/") + "/"
        case Unary(operator=operator, operand=operand):
            return f"({operator} {written(operand)})"
        case Binary(operator=operator, left=left, right=right):
            return f"({written(left)} {operator} {written(right)})"
        case Like(subject=subject, pattern=pattern):
            return f"({written(subject)} like {written(pattern)})"
        case In(subject=subject, choices=choices):
            return f"({written(subject)} in [{', '.join(map(written, choices))}])"
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(map(written, arguments))})"


def bare(node: Expression) -> object:
    """Without the places where it stands."""
    match node:
        case Unary(operator=operator, operand=operand):
            return operator, bare(operand)
        case Binary(operator=operator, left=left, right=right):
            return operator, bare(left), bare(right)
        case Like(subject=subject, pattern=pattern):
            return "like", bare(subject), bare(pattern)
        case In(subject=subject, choices=choices):
            return "in", bare(subject), tuple(map(bare, choices))
        case Call(name=name, arguments=arguments):
            return "call", name, tuple(map(bare, arguments))
        case Field(name=name):
            return "field", name
        case Constant(value=value):
            return "constant", value
        case Pattern(expression=expression):
            return "pattern", expression
        case Period(count=count, unit=unit):
            return "period", count, unit


def condition(text: str) -> object:
    (command,) = parse(f"filter {text}")
    assert isinstance(command, Filter)
    return bare(command.condition)


@given(_EXPRESSIONS)
def test_what_is_written_is_read(expression: Expression) -> None:
    assert condition(written(expression)) == bare(expression)


@given(st.text(st.sampled_from("fields stats by|(),`\"'/@*=<>!~%^[]#\n 1.5m"), max_size=60))
def test_any_text_is_a_query_or_has_a_place_where_it_is_none(text: str) -> None:
    try:
        check(text)
    except MalformedQueryError as error:
        assert 0 <= error.start <= error.end <= len(text)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a or b and not c", "(a or (b and (not c)))"),
        ("a + b * c ^ d ^ e - f", "((a + (b * (c ^ (d ^ e)))) - f)"),
        ("a - b - c = d / e / f", "(((a - b) - c) = ((d / e) / f))"),
        ("not a like 'x'", "(not (a like 'x'))"),
        ("a not like /x/ AND b Not In [1, 'y']", "((not (a like /x/)) and (not (b in [1, 'y'])))"),
        ("a =~ /x/", "(a like /x/)"),
        ("-a < -1", "((-a) < (-1))"),
        ("a.b.0 = 1 # a comment | stats", "(`a.b.0` = 1)"),
    ],
)
def test_operators_bind(text: str, meaning: str) -> None:
    assert condition(text) == condition(meaning)


def test_commands() -> None:
    query = """
        filter @type = "REPORT"
        | PARSE @message "a=*, b=*" as a, `b c`
        | stats count(*) as n, max(a + 1) by bin(5m), b
        | sort n desc, b | limit any 7 | dedup n
    """
    _, parsed, stats, sort, limit, dedup = parse(query)
    assert isinstance(parsed, Parse)
    assert parsed.names == ("a", "b c")
    assert isinstance(stats, Stats)
    assert [column.name for column in (*stats.aggregates, *stats.by)] == ["n", "max(a + 1)", "bin(5m)", "b"]
    assert sort == Sort((("n", True), ("b", False)))
    assert limit == Limit(7, any=True)
    assert dedup == Dedup(("n",))
    (parsed,) = parse("parse /(?<x>.)/")
    assert isinstance(parsed, Parse)
    assert parsed.subject == Field(name="@message")
    assert isinstance(stats.aggregates[0], Column)


@pytest.mark.parametrize(
    ("query", "message", "start", "end"),
    [
        ("", "unexpected end of the query", 0, 0),
        ("fields a |", "unexpected end of the query", 10, 10),
        ("test", "unexpected symbol found test at line 1 and position 1", 0, 4),
        ("fields a\n| bogus", "unexpected symbol found bogus at line 2 and position 3", 11, 16),
        ("sort bin(1d) desc", "unexpected symbol found ( at line 1 and position 9", 8, 9),
        ("filter a like /x/i", "unexpected symbol found i at line 1 and position 18", 17, 18),
        ("dedup a | sort b", "unexpected symbol found sort at line 1 and position 11", 10, 14),
        ("filter a = 'x", "unexpected symbol found ' at line 1 and position 12", 11, 12),
        ("filter (a", "unexpected end of the query", 9, 9),
        ("filter a in 1", "unexpected symbol found 1 at line 1 and position 13", 12, 13),
        ("limit 100001", "the limit must be between 1 and 100000", 6, 12),
        ("parse 'a*' as b, c", "the glob has 1 wildcards for 2 names", 6, 10),
        ("filter " + "(" * 200, "the query is nested too deeply", 0, 207),
        ("stats bin(x)", "bin is given no period", 6, 12),
        ("stats pct(a)", "pct is given no percentage", 6, 12),
        ("fields nosuch(a)", "unknown function nosuch", 7, 16),
        ("fields strlen(a, b)", "strlen is given 2 arguments", 7, 19),
        ("fields 5m", "a value is expected here", 7, 9),
        ("stats count(a, b)", "count takes one argument", 6, 17),
        ("parse @message /(/", "invalid regular expression", 15, 18),
        ("parse @message /x/ as a", "the regular expression has 0 groups for 1 names", 15, 18),
        ("pattern @message", "Lambent does not offer the command pattern", 0, 7),
    ],
)
def test_where_a_query_is_wrong(query: str, message: str, start: int, end: int) -> None:
    with pytest.raises(MalformedQueryError) as caught:
        check(query)
    assert caught.value.message.startswith(message)
    assert (caught.value.start, caught.value.end) == (start, end)


def test_a_long_chain_is_not_a_deep_one() -> None:
    check("filter " + " or ".join(["a=1"] * 1500))
