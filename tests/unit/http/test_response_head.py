import pytest

from lambent.http.head import HeadWriter, ResponseHeaderError


def render(headers, **options):
    given = {"framing": "content-length: 0\r\n", "closing": False, "http10": False} | options
    return HeadWriter(now=lambda: 784111777.5).render(200, headers, **given)


def test_a_head():
    assert render([("x-a", "1"), ("x-a", "2")]) == (
        b"HTTP/1.1 200 OK\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 0\r\n"
        b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
    )


def test_the_connection_is_said_where_it_is_not_the_version_s_default():
    assert b"connection: close\r\n" in render([], closing=True)
    assert b"connection: keep-alive\r\n" in render([], http10=True)
    assert b"connection:" not in render([])


def test_the_date_moves():
    now = [0.0]
    heads = HeadWriter(now=lambda: now[0])
    first = heads.render(200, [], framing="", closing=False, http10=False)
    now[0] = 1.0
    assert heads.render(200, [], framing="", closing=False, http10=False) != first


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b", "a\nb", "a\rb", "a\0b", "\u20ac"])
def test_a_value_cannot_become_a_header(value):
    with pytest.raises(ResponseHeaderError):
        render([("x-a", value)])


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "\xe9"])
def test_a_name_must_be_one(name):
    with pytest.raises(ResponseHeaderError):
        render([(name, "v")])


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Connection", "DATE"])
def test_framing_is_not_the_handler_s(name):
    assert name.lower().encode() + b": 7" not in render([(name, "7")]).lower()


def test_an_unknown_status_has_a_reason():
    heads = HeadWriter()
    assert heads.render(299, [], framing="", closing=False, http10=False).startswith(b"HTTP/1.1 299 ")
