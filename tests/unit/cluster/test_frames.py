import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.cluster.frames import Frame, FrameError, FrameReader, Kind, encode


@given(
    frames=st.lists(
        st.tuples(
            st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=40), st.binary(max_size=200)
        )
    ),
    cuts=st.lists(st.integers(1, 60), min_size=1),
)
def test_frames_arrive_whole_and_in_order_however_they_are_cut(frames, cuts):
    sent = b"".join(encode(*frame) for frame in frames)
    reader, received, at, turn = FrameReader(), [], 0, 0
    while at < len(sent):
        size = cuts[turn % len(cuts)]
        received += reader.feed(sent[at : at + size])
        at, turn = at + size, turn + 1
    assert received == [Frame(*frame) for frame in frames]


def test_what_is_far_too_long_is_no_frame():
    with pytest.raises(FrameError):
        list(FrameReader().feed(b"\x01" + b"\0" * 4 + b"\xff" * 8))
