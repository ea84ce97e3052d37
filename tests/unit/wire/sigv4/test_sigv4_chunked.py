"""Bodies in aws-chunked. The signed examples are AWS's own, from sigv4-streaming and sigv4-streaming-trailers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.http.message import Request
from lambent.wire.sigv4.chunked import ChunkDecoder, ChunkSignatures, unpack_body
from lambent.wire.sigv4.errors import Fault, SignatureError
from lambent.wire.sigv4.keys import SigningKeys, derive_signing_key

KEY = derive_signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3")
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
SEED_WITH_TRAILER = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
CHUNKS = [
    (b"a" * 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
]
CHUNKS_WITH_TRAILER = [
    (b"a" * 65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
    (b"a" * 1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
    (b"", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
]
TRAILER_SIGNATURE = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"


def chain(seed):
    return ChunkSignatures(KEY, "20130524T000000Z", "20130524/us-east-1/s3/aws4_request", seed)


def packed(chunks, end=b"\r\n"):
    pieces = []
    for data, signature in chunks:
        pieces.append(
            b"%x;chunk-signature=%s\r\n%s%s" % (len(data), signature.encode(), data, b"\r\n" if data else b"")
        )
    return b"".join(pieces) + end


def received(mode, body, **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("PUT", "/b/k", "/b/k", "", {"x-amz-content-sha256": mode, **given}, body)


def test_aws_example():
    request = received(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        packed(CHUNKS),
        content_encoding="aws-chunked,gzip",
        x_amz_decoded_content_length="66560",
    )
    unpack_body(request, chain(SEED))
    assert request.body == b"a" * 66560
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["content-length"] == "66560"
    assert "x-amz-decoded-content-length" not in request.headers


def test_aws_example_with_trailers():
    trailers = (
        f"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{TRAILER_SIGNATURE}\r\n\r\n".encode()
    )
    request = received(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        packed(CHUNKS_WITH_TRAILER, trailers),
        content_encoding="aws-chunked",
        x_amz_trailer="x-amz-checksum-crc32c",
    )
    unpack_body(request, chain(SEED_WITH_TRAILER))
    assert request.body == b"a" * 66560
    assert request.headers["x-amz-checksum-crc32c"] == "sOO8/Q=="
    assert "content-encoding" not in request.headers


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_changed_chunk_breaks_the_chain(at):
    chunks = list(CHUNKS)
    chunks[at] = (chunks[at][0], "0" * 64)
    with pytest.raises(SignatureError) as caught:
        unpack_body(received("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", packed(chunks)), chain(SEED))
    assert caught.value.fault is Fault.MISMATCH


def test_a_changed_trailer_is_refused():
    trailers = (
        f"x-amz-checksum-crc32c:AAAAAA==\r\nx-amz-trailer-signature:{TRAILER_SIGNATURE}\r\n\r\n".encode()
    )
    request = received(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        packed(CHUNKS_WITH_TRAILER, trailers),
        x_amz_trailer="x-amz-checksum-crc32c",
    )
    with pytest.raises(SignatureError) as caught:
        unpack_body(request, chain(SEED_WITH_TRAILER))
    assert caught.value.fault is Fault.MISMATCH


def test_an_unsigned_payload_with_a_trailer():
    request = received(
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        b"3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n",
        content_encoding="aws-chunked",
        x_amz_trailer="x-amz-checksum-crc32",
        x_amz_decoded_content_length="5",
    )
    unpack_body(request, chain("unused"))
    assert (request.body, request.headers["x-amz-checksum-crc32"]) == (b"abcde", "NSRBwg==")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"3\r\nabc", {}),
        (b"3\r\nabcd\r\n0\r\n\r\n", {}),
        (b"-3\r\nabc\r\n0\r\n\r\n", {}),
        (b"+3\r\nabc\r\n0\r\n\r\n", {}),
        (b"3_0\r\nabc\r\n0\r\n\r\n", {}),
        (b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n", {}),
        (b"3\r\nabc\r\n0\r\n", {}),
        (b"3\r\nabc\r\n0\r\n\r\nmore", {}),
        (b"3\r\nabc\r\n0\r\n\r\n", {"x_amz_decoded_content_length": "4"}),
        (b"3\r\nabc\r\n0\r\nx-amz-meta-a:1\r\n\r\n", {}),
        (b"3\r\nabc\r\n0\r\nno colon\r\n\r\n", {"x_amz_trailer": "no colon"}),
        (b"3\r\nabc\r\n0\r\nhost:evil\r\n\r\n", {"x_amz_trailer": "host", "host": "h"}),
    ],
)
def test_a_malformed_body(body, headers):
    with pytest.raises(SignatureError) as caught:
        unpack_body(received("STREAMING-UNSIGNED-PAYLOAD-TRAILER", body, **headers), None)
    assert caught.value.fault is Fault.PAYLOAD_MALFORMED


def test_unsigned_chunks_where_signed_ones_were_promised():
    with pytest.raises(SignatureError) as caught:
        unpack_body(received("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", b"1\r\na\r\n0\r\n\r\n"), chain(SEED))
    assert caught.value.fault is Fault.PAYLOAD_MALFORMED


def test_sigv4a_payloads_are_not_offered():
    with pytest.raises(SignatureError) as caught:
        unpack_body(received("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", b"0\r\n\r\n"), chain(SEED))
    assert caught.value.fault is Fault.INCOMPLETE


def test_signing_keys_are_kept_but_not_for_ever():
    keys = SigningKeys(kept=2)
    first = keys.find("secret", "20260101", "us-east-1", "lambda")
    assert keys.find("secret", "20260101", "us-east-1", "lambda") is first
    assert keys.find("rotated", "20260101", "us-east-1", "lambda") != first
    keys.find("secret", "20260102", "us-east-1", "lambda")
    assert keys.find.cache_info().currsize == 2


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(0, 60), st.booleans())
def test_a_body_unpacks_the_same_in_whatever_pieces_it_comes(cuts, size, complete):
    body = b"5\r\nhello\r\na;x=y\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    body = body if complete else body[:size]
    whole = ChunkDecoder(None, announced=frozenset({"x-amz-checksum-crc32"}))
    pieces = ChunkDecoder(None, announced=frozenset({"x-amz-checksum-crc32"}))
    expected = outcome(whole, [body])
    at, parts = 0, []
    for cut in cuts:
        parts.append(body[at : at + cut])
        at += cut
    assert outcome(pieces, [*parts, body[at:]]) == expected
    if complete:
        assert expected == (b"hello0123456789", {"x-amz-checksum-crc32": "AAAAAA=="})


@given(st.binary(max_size=60))
def test_no_bytes_break_the_decoder(body):
    outcome(ChunkDecoder(None, announced=None), [body])


def outcome(decoder, pieces):
    try:
        unpacked = b"".join([decoder.feed(piece) for piece in pieces])
        decoder.finish()
    except SignatureError as error:
        return error.fault
    return unpacked, decoder.trailers


def test_signatures_of_chunks_hold_in_pieces():
    body = packed(CHUNKS)
    decoder = ChunkDecoder(chain(SEED), announced=None)
    unpacked = b"".join([decoder.feed(body[at : at + 1000]) for at in range(0, len(body), 1000)])
    decoder.finish()
    assert unpacked == b"a" * 66560
    changed = ChunkDecoder(chain(SEED), announced=None)
    with pytest.raises(SignatureError) as caught:
        changed.feed(body.replace(b"aa", b"ab", 1))
    assert caught.value.fault is Fault.MISMATCH
