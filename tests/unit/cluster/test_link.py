from lambent.cluster.link import SILENT_LOOKS, Silence


def test_who_says_nothing_between_many_looks_is_silent():
    silence = Silence(SILENT_LOOKS)
    assert not silence.look(1.0)
    assert not any(silence.look(1.0) for _ in range(SILENT_LOOKS))
    assert silence.look(1.0)


def test_a_word_in_between_ends_the_silence():
    silence = Silence(SILENT_LOOKS)
    for heard_at in range(1, 100):
        assert not any(silence.look(float(heard_at)) for _ in range(SILENT_LOOKS))


def test_who_was_stopped_himself_takes_nobody_for_dead():
    silence = Silence(SILENT_LOOKS)
    silence.look(1.0)
    # An hour passes, in which nobody looks.
    assert not silence.look(1.0)
    assert not silence.look(3600.0)
