import os

import pytest

from lambent.sandbox import messages


def test_message_arrives_with_its_descriptors() -> None:
    ours, theirs = messages.socket_pair()
    read, write = os.pipe()
    with ours, theirs:
        messages.send(ours, {"a": [1, "ü"]}, [write])
        received = messages.receive(theirs)
        assert received is not None
        message, (copy,) = received
        assert message == {"a": [1, "ü"]}
        assert not os.get_inheritable(copy)
        os.write(copy, b"through")
        assert os.read(read, 10) == b"through"
    for descriptor in (read, write, copy):
        os.close(descriptor)


def test_packets_do_not_run_together() -> None:
    ours, theirs = messages.socket_pair()
    with ours, theirs:
        for number in range(3):
            messages.send(ours, {"n": number})
        assert [messages.receive(theirs) for _ in range(3)] == [({"n": n}, []) for n in range(3)]


def test_closed_end_is_none() -> None:
    ours, theirs = messages.socket_pair()
    ours.close()
    with theirs:
        assert messages.receive(theirs) is None


@pytest.mark.parametrize("size", [1, messages.BYTES_MAX - 20])
def test_large_messages_pass(size: int) -> None:
    ours, theirs = messages.socket_pair()
    with ours, theirs:
        messages.send(ours, {"v": "x" * size})
        assert messages.receive(theirs) == ({"v": "x" * size}, [])


def test_too_large_a_message_is_refused_before_it_is_sent() -> None:
    ours, theirs = messages.socket_pair()
    with ours, theirs:
        with pytest.raises(messages.MessageTooLargeError):
            messages.send(ours, {"v": "x" * messages.BYTES_MAX})
        with pytest.raises(messages.MessageTooLargeError):
            messages.send(ours, {}, [0] * (messages.DESCRIPTORS_MAX + 1))
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            messages.receive(theirs)
