import re
import uuid

from lambent.base.ids import new_token, new_trace_header, new_uuid


def test_uuids_are_random_ones_in_their_canonical_form():
    made = [new_uuid() for _ in range(600)]  # more than one pool
    assert len(set(made)) == 600
    for text in made:
        assert str(uuid.UUID(text)) == text
        assert (uuid.UUID(text).version, uuid.UUID(text).variant) == (4, uuid.RFC_4122)


def test_tokens_have_the_length_that_was_asked_for():
    for length in (1, 7, 32):
        assert re.fullmatch(f"[0-9a-f]{{{length}}}", new_token(length))
    assert new_token() != new_token()


def test_a_trace_header_says_when_it_began():
    header = new_trace_header(0x6553F100 + 0.9)
    assert re.fullmatch(r"Root=1-6553f100-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", header)
    assert header != new_trace_header(0x6553F100)
