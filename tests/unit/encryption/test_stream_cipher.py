from hypothesis import given
from hypothesis import strategies as st

from lambent.encryption.stream_cipher import StreamCipher, new_nonce

KEY = b"k" * 32


@given(st.binary(max_size=200), st.integers(0, 220), st.integers(0, 220), st.integers(1, 40))
def test_a_range_is_opened_without_what_stands_before_it(body, first, last, piece):
    nonce = new_nonce()
    sealing = StreamCipher(KEY, nonce)
    sealed = b"".join(sealing.update(body[at : at + piece]) for at in range(0, len(body), piece))
    assert len(sealed) == len(body)
    assert StreamCipher(KEY, nonce, first).update(sealed[first:last]) == body[first:last]


def test_the_counter_goes_on_behind_its_end():
    nonce = b"\xff" * 16
    sealed = StreamCipher(KEY, nonce).update(bytes(64))
    assert StreamCipher(KEY, nonce, 40).update(sealed[40:]) == bytes(24)
    assert sealed[:16] != sealed[16:32]
