"""Examples are those of AWS's page on filter patterns, and its error texts as users report them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.logs.filter_pattern import InvalidFilterPatternError, parse

BAD_REQUEST = "[ERROR 400] BAD REQUEST"
MISSING = "[ERROR 419] MISSING ARGUMENTS"
FAILED = "[INFO] REQUEST FAILED"

TRAIL = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
        "cluster.name": "c",
        "latency": 55.5,
        "detail-type": "x",
        "nested": {"deep": {"er": 1}},
    }
)
USERS = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)
ACCESS = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
WORDS = "ERROR 09/25/2014 12:00:02 Failed to process request"


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("", [BAD_REQUEST, MISSING, ""], []),
        ('" "', [BAD_REQUEST, "word"], []),
        ("ERROR", [BAD_REQUEST, MISSING], [FAILED, "error"]),
        ("ERROR ARGUMENTS", [MISSING], [BAD_REQUEST]),
        ("?REQUEST ?ARGUMENTS", [BAD_REQUEST, MISSING, FAILED], ["neither"]),
        ("?ERROR ?ARGUMENTS REQUEST", [FAILED, BAD_REQUEST], [MISSING]),
        ("?ERROR -ARGUMENTS", [FAILED, BAD_REQUEST], [MISSING]),
        ("ERROR -ARGUMENTS", [BAD_REQUEST], [MISSING, FAILED]),
        ('"ERROR" - "ARGUMENTS"', [BAD_REQUEST], [MISSING]),
        ("-ERROR", [FAILED], [BAD_REQUEST]),
        ('"BAD REQUEST"', [BAD_REQUEST], ["BAD  REQUEST"]),
        (r'"say \"hi\" \\ there"', [r'say "hi" \ there'], ["say hi"]),
        ("größe_1", ["die größe_1"], ["die grösse_1"]),
        ("%AUTHORIZED%", ["[ERROR 401] UNAUTHORIZED REQUEST"], [BAD_REQUEST]),
        ("%^starting|^shutting down%", ["starting up", "shutting down now"], ["skipping starting"]),
        ("%[Ee]rror% -FATAL", ["an Error", "error"], ["FATAL error"]),
    ],
)
def test_terms(pattern: str, matching: list[str], others: list[str]) -> None:
    compiled = parse(pattern)
    assert [message for message in matching + others if compiled.matches(message)] == matching
    assert compiled.extract(BAD_REQUEST) == {}


@pytest.mark.parametrize(
    ("pattern", "message", "matched"),
    [
        ('{ $.eventType = "UpdateTrail" }', TRAIL, True),
        ("{$.eventType=UpdateTrail}", TRAIL, True),
        ('{ $.eventType = "updatetrail" }', TRAIL, False),
        ("{ $.eventType = *Trail }", TRAIL, True),
        ("{ $.eventType = Update* }", TRAIL, True),
        ("{ $.eventType = *dateT* }", TRAIL, True),
        ("{ $.eventType = Up*ail }", TRAIL, False),
        ("{ $.eventType = * }", TRAIL, True),
        ("{ $.missing = * }", TRAIL, False),
        ("{ $.sourceIPAddress != 123.123.* }", TRAIL, True),
        ("{ $.sourceIPAddress = 111.111.* }", TRAIL, True),
        ("{ $.missing != 123.123.* }", TRAIL, False),
        ('{ $.arrayKey[0] = "value" }', TRAIL, True),
        ('{ $.arrayKey[7] = "value" }', TRAIL, False),
        ('{ $.arrayKey = "value" }', TRAIL, False),
        ('{ $.arrayKey != "value" }', TRAIL, False),
        ("{ $.objectList[1].id = 2 }", TRAIL, True),
        ("{ $.objectList[*].id = 2 }", TRAIL, True),
        ("{ $.objectList[*].id = 3 }", TRAIL, False),
        ("{ $.eventType = %Trail% }", TRAIL, True),
        ("{ $.arrayKey[*] = %val.{2}% }", TRAIL, True),
        (r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }", TRAIL, True),
        ("{ $.['cluster.name'] = \"c\" }", TRAIL, True),
        ("{ $.detail-type = x }", TRAIL, True),
        ("{ $.SomeObject IS NULL }", TRAIL, True),
        ("{ $.eventType IS NULL }", TRAIL, False),
        ("{ $.missing IS NULL }", TRAIL, False),
        ("{ $.ThisFlag IS TRUE }", TRAIL, True),
        ("{ $.ThisFlag IS FALSE }", TRAIL, False),
        ("{ $.ThisFlag is true }", TRAIL, True),
        ("{ $.objectList[0].id IS TRUE }", TRAIL, False),
        ("{ $.SomeOtherObject NOT EXISTS }", TRAIL, True),
        ("{ $.SomeObject NOT EXISTS }", TRAIL, False),
        ("{ $.latency > 55 }", TRAIL, True),
        ("{ $.latency >= 5.55e1 }", TRAIL, True),
        ("{ $.latency < -1 }", TRAIL, False),
        ("{ $.latency != 55.5 }", TRAIL, False),
        ("{ $.latency = 55* }", TRAIL, True),
        ("{ $.eventType > 1 }", TRAIL, False),
        ("{ $.nested.deep.er = 1 }", TRAIL, True),
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', USERS, True),
        (
            '{ $.user.email = "John.Stiles@*" || $.coordinates[0][1] = "no" && $.actions[2] = "no" }',
            USERS,
            True,
        ),
        (
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = no) && $.actions[2] = no }',
            USERS,
            False,
        ),
        ('{ ($.user.id = 2 && $.users[0].email = "no") || $.actions[2] = "GET" }', USERS, False),
        ("{ $.coordinates[2][0] = 7 }", USERS, True),
        ("{ $.a = 1 }", "not json", False),
        ("{ $.a = 1 }", '{"a": 1', False),
        ("{ $.a NOT EXISTS }", "not json", False),
        ("{ $.a = 1 }", "[" * 100_000, False),
        ("{ $.a = 123456789012345678 }", '{"a": 123456789012345679}', False),
    ],
)
def test_json(pattern: str, message: str, matched: bool) -> None:
    assert parse(pattern).matches(message) is matched


def test_json_extracts_the_selected_values() -> None:
    pattern = parse('{ $.user.id = 1 && $.users[*].email = "J*" && $.user NOT EXISTS }')
    assert pattern.extract(USERS) == {"$.user.id": "1", "$.users[*].email": "John.Doe@example.com"}


@pytest.mark.parametrize(
    ("pattern", "message", "matched"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", ACCESS, True),
        (
            r"[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
            ACCESS,
            True,
        ),
        ("[..., request =*.html*, status_code = 4*, bytes]", ACCESS, True),
        ("[..., status_code = 5*, bytes]", ACCESS, False),
        ("[ip, user, ..., status_code, bytes > 1000]", ACCESS, True),
        ("[ip, user, ..., status_code, bytes > 2000]", ACCESS, False),
        ("[ip, user, ...]", ACCESS, True),
        ("[ip = 10.*, ...]", ACCESS, False),
        ("[a, b, c, d, e, f, g, h]", ACCESS, False),
        ("[a, b, c, d, e, f, g, h, ...]", ACCESS, False),
        ("[..., status_code = 404 || status_code = 410, bytes]", ACCESS, True),
        ("[..., status_code = 4* && status_code != 404, bytes]", ACCESS, False),
        ("[w1=ERROR, w2]", WORDS, True),
        ("[w1=ERROR || w1=WARNING, w2]", WORDS, True),
        ("[w1!=ERROR && w1!=WARNING, w2]", WORDS, False),
        ('[(w1="*ERROR*" || w1="*WARN*") && w1!="*timeout*"]', WORDS, True),
        ('[(w1="*ERROR*" || w1="*WARN*") && w1!="*Failed to*"]', WORDS, False),
        ('[timestamp=*Z, request_id="*-*", event]', "2026-01-01T00:00:00Z 8d22-4 many words here", True),
        ("[]", "anything at all", True),
        ("[a, b]", "", False),
        ("[a=]x, b]", "", None),
    ],
)
def test_delimited(pattern: str, message: str, matched: bool | None) -> None:
    if matched is None:
        with pytest.raises(InvalidFilterPatternError):
            parse(pattern)
    else:
        assert parse(pattern).matches(message) is matched


def test_delimited_extracts_by_name_and_by_position() -> None:
    assert parse("[..., request=*.html*, status_code=4*,]").extract(ACCESS) == {
        "$1": "127.0.0.1",
        "$2": "Prod",
        "$3": "frank",
        "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0",
        "$status_code": "404",
        "$7": "1534",
    }
    assert parse("[level, text]").extract("INFO  all the rest ") == {
        "$level": "INFO",
        "$text": "all the rest",
    }


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("?Status: timeout", "Invalid character(s) in term ':'"),
        ("foo-bar", "Invalid character(s) in term '-'"),
        ('""', "Invalid character(s) in term '\"\"'"),
        ("`ERROR`", "Invalid character(s) in term '`'"),
        ('"open', "Invalid character(s) in term '\"'"),
        ("-", "Invalid character(s) in term '-'"),
        ('{ $."sc-status" = 5* }', "Invalid character(s) in term '$'"),
        ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
        ("{", "If a filter pattern starts with '{' it must end with '}'"),
        ("[a, b", "If a filter pattern starts with '[' it must end with ']'"),
        ("{}", "the pattern ends too early"),
        ("{ $.a }", "the pattern ends too early"),
        ("{ $.a EXISTS }", "'EXISTS' is not expected here"),
        ("{ $.a IS NOT NULL }", "'NOT' is not expected here"),
        ("{ a = 1 }", "'a' is not expected here"),
        ("{ $.a = 1 $.b = 2 }", "'$.b' is not expected here"),
        ("{ $.a > x }", "'>' compares with a number, not with 'x'"),
        ("{ $.a[*].b[*] = 1 }", "more than one wildcard"),
        ("{ $.a[*]=1 && $.b[*]=1 && $.c[*]=1 && $.d[*]=1 }", "more than 3 wildcard selectors"),
        ("{ $.a=%a% && $.b=%b% && $.c=%c% }", "more than 2 regular expressions"),
        ("{" + "(" * 400 + "}", "too many parentheses"),
        ("[..., a, ...]", "more than one ellipsis"),
        ("[a, a]", "two fields have the same name"),
        ("[a=1 && b=2]", "cannot name 'b'"),
        ("[a=1, 2x]", "Invalid character(s) in term '2x'"),
        ("%a(b)%", "Invalid character(s) in term '('"),
        ("%something!%", "Invalid character(s) in term '!'"),
        ("%*a%", "Invalid character(s) in term '*'"),
        ("%a{3,1}%", "Invalid character(s) in term '{3,1}'"),
        ("%a{,}%", "Invalid character(s) in term '{,}'"),
        ("%[z-a]%", "Invalid character(s) in term 'z-a'"),
        ("%a$b%", "Invalid character(s) in term '$'"),
        (r"%\x9f%", r"Invalid character(s) in term '\x9f'"),
        (r"%\b%", r"Invalid character(s) in term '\b'"),
        ("%[abc%", "ends too early"),
        (r"%[a-\d]%", "Invalid character(s) in term"),
        ("%" + "a{999}" * 10 + "%", "repeats too often"),
    ],
)
def test_refused(pattern: str, said: str) -> None:
    with pytest.raises(InvalidFilterPatternError) as refusal:
        parse(pattern)
    assert said in str(refusal.value)


ANY_TEXT = st.text(max_size=40)
LIKELY_TEXT = st.text(alphabet='{}[]()$.*%"\\?-=!<>&|, ab1ISNULTRE', max_size=40)


@given(ANY_TEXT | LIKELY_TEXT, ANY_TEXT | LIKELY_TEXT)
def test_any_pattern_is_refused_or_works(pattern: str, message: str) -> None:
    try:
        compiled = parse(pattern)
    except InvalidFilterPatternError:
        return
    if compiled.matches(message):
        assert all(isinstance(value, str) for value in compiled.extract(message).values())


@given(st.text(min_size=1).filter(str.strip), st.text())
def test_a_quoted_term_is_found_where_it_stands(term: str, around: str) -> None:
    quoted = '"' + term.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert parse(quoted).matches(around + term + around)
    assert not parse("-" + quoted).matches(around + term + around)
    assert parse(quoted).matches(around) == (term in around)


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.text() | st.integers(-(2**53), 2**53))
)
def test_every_property_of_a_message_equals_itself(document: dict[str, str | int]) -> None:
    message = json.dumps(document)
    for name, value in document.items():
        text = str(value).replace("\\", "\\\\").replace('"', '\\"')
        if not text.startswith("*") and not text.endswith("*"):
            assert parse(f'{{ $.{name} = "{text}" }}').matches(message)
            assert not parse(f'{{ $.{name} != "{text}" }}').matches(message)
        if isinstance(value, int):
            assert parse(f"{{ $.{name} = {value} && $.{name} < {value + 1} }}").matches(message)
