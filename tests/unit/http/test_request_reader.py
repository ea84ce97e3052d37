"""Requests out of bytes, whatever pieces the bytes come in; and what is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.http.limits import Limits
from lambent.http.reader import Phase, RefusedRequestError, RequestReader


def read(*pieces, limits=None):
    reader = RequestReader(limits or Limits(), "192.0.2.1")
    for piece in pieces:
        reader.feed(piece)
    return reader


def only(*pieces):
    (received,) = read(*pieces).ready
    return received


def refused(*pieces, limits=None):
    with pytest.raises(RefusedRequestError) as caught:
        read(*pieces, limits=limits)
    return caught.value.status


POST = b"POST /a%20b?c=d&e HTTP/1.1\r\nHost: h\r\nX-Many: 1 \r\nX-Many:2\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;x=y\r\nab\r\n1\r\nc\r\n0\r\nHost: evil\r\n\r\n"
)


def test_a_request_keeps_what_was_signed():
    request = only(POST).request
    assert (request.method, request.target) == ("POST", "/a%20b?c=d&e")
    assert (request.path, request.query) == ("/a%20b", "c=d&e")
    assert request.headers == {"host": "h", "x-many": "1,2", "content-length": "3"}
    assert (request.body, request.peer) == (b"abc", "192.0.2.1")


@given(cuts=st.lists(st.integers(1, len(POST + CHUNKED) - 1), max_size=8))
def test_any_cut_reads_the_same(cuts):
    wire = POST + CHUNKED + POST
    at = sorted({0, len(wire), *cuts})
    pieces = [wire[start:end] for start, end in pairwise(at)]
    whole, cut = read(wire).ready, read(*pieces).ready
    assert [one.request for one in cut] == [one.request for one in whole]
    assert len(whole) == 3


@given(garbage=st.binary(max_size=200), before=st.sampled_from([b"", POST, b"GET / HTTP/1.1\r\n", POST[:-1]]))
def test_garbage_is_refused_or_waited_for_but_never_breaks(garbage, before):
    try:
        read(before, garbage)
    except RefusedRequestError as refused:
        assert 400 <= refused.status <= 505


def test_trailers_do_not_overrule_headers():
    assert only(CHUNKED).request.headers["host"] == "h"
    assert only(CHUNKED).request.body == b"abc"


def test_trailers_of_a_stream_come_with_its_end():
    reader = RequestReader(Limits(), "192.0.2.1", lambda method, target, headers: True)
    reader.feed(CHUNKED)
    (received,) = reader.ready
    assert received.stream.ended
    assert received.stream.trailers == {"host": "evil"}
    assert received.request.headers["host"] == "h"


def test_the_absolute_form_loses_its_authority():
    request = only(b"GET http://h:1/p/q?r HTTP/1.1\r\nHost: h\r\n\r\n").request
    assert (request.path, request.query, request.target) == ("/p/q", "r", "http://h:1/p/q?r")


@pytest.mark.parametrize(
    ("head", "keep_alive", "http10"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", True, False),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", False, False),
        (b"GET / HTTP/1.0\r\n\r\n", False, True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True, True),
    ],
)
def test_whether_the_connection_goes_on(head, keep_alive, http10):
    received = only(head)
    assert (received.keep_alive, received.http10) == (keep_alive, http10)


def test_nothing_is_read_after_connection_close():
    assert len(read(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" * 2).ready) == 1


@pytest.mark.parametrize(
    ("status", "wire"),
    [
        (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\nHost: a\n\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\x00z\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
        (
            400,
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            400,
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        (400, b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (501, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        (501, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        (405, b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (417, b"POST / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\nContent-Length: 1\r\n\r\n"),
        (505, b"GET /\r\n\r\n"),
    ],
)
def test_what_could_be_understood_in_two_ways_is_refused(status, wire):
    assert refused(wire) == status


def test_a_body_that_says_it_is_too_large_is_not_read():
    limits = Limits(body_bytes_max=10)
    assert refused(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", limits=limits) == 413
    read(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n", limits=limits)


def test_a_body_that_turns_out_too_large_is_not_read_on():
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert refused(head, b"8\r\n12345678\r\n", b"8\r\n12345678\r\n", limits=Limits(body_bytes_max=10)) == 413


def test_a_head_too_large_in_one_piece():
    wire = b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 100 + b"\r\n\r\n"
    assert refused(wire, limits=Limits(head_bytes_max=100)) == 431


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX: "])
def test_a_head_that_never_ends(start):
    limits = Limits(head_bytes_max=1000)
    assert refused(start, *([b"x" * 300] * 6), limits=limits) == 431


def test_too_many_headers():
    wire = b"GET / HTTP/1.1\r\nHost: h\r\n" + b"x: y\r\n" * 50
    assert refused(wire + b"\r\n", limits=Limits(headers_max=50)) == 431
    lines = b"".join(b"x%d: y\r\n" % number for number in range(60))
    assert refused(b"GET / HTTP/1.1\r\n" + lines, limits=Limits(headers_max=50)) == 431


def test_continue_is_wanted_only_with_a_body_to_come():
    head = b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: %d\r\n\r\n"
    assert read(head % 5).wants_continue
    assert not read(head % 0).wants_continue
    assert not read(head % 1 + b"x").wants_continue


def test_an_offer_to_upgrade_is_not_taken():
    offer = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    for body in (
        b"Content-Length: 4\r\n\r\nbody",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    ):
        for pieces in ([offer + body + POST], [bytes([byte]) for byte in offer + body + POST]):
            first, second = read(*pieces).ready
            assert (first.request.body, second.request.body) == (b"body", b"abc")
            assert first.request.headers["upgrade"] == "h2c"
    first, second = read(offer + b"\r\n" + POST).ready
    assert (first.request.body, second.request.body) == (b"", b"abc")


def test_the_phase_says_what_is_waited_for():
    assert read().phase is Phase.IDLE
    assert read(b"GET / HT").phase is Phase.HEAD
    assert read(POST[:-1]).phase is Phase.BODY
    assert read(POST).phase is Phase.IDLE
