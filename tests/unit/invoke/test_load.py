from lambent.invoke.load import Load, Reporter, warm_key
from lambent.model.function import FunctionId


def test_a_listener_hears_everything_first_and_then_what_has_changed():
    now = Load(
        busy=1,
        cpus=2,
        member=True,
        running={"f": 4, "g": 1},
        idle={"f": 2, "g": 1},
        ready={"f": 1},
        room={"l": 3, "m": 1},
        provisioned={"f": 2},
        failures={"g": "no"},
    )
    reporter, known = Reporter(lambda: now), Load()
    known.take(reporter())
    assert known == now
    assert reporter() == b""

    now = Load(
        busy=0, cpus=2, idle={"f": 3}, room={"l": 0}, ending=True, running={"f": 5}, provisioned={"f": 1}
    )
    known.take(reporter())
    assert known == now


def test_what_is_sent_to_a_node_counts_before_it_reports_it():
    load = Load(busy=0, idle={"f": 1}, room={"l": 2})
    load.begun("f", "l")
    assert (load.busy, load.idle["f"], load.room["l"]) == (1, 0, 1)
    load.ended("f", "l")
    assert (load.busy, load.idle["f"], load.room["l"]) == (0, 1, 2)
    load.begun("g", "unknown")
    load.ended("g", "unknown")
    assert load.idle["g"] == 1, "a cold start leaves an environment behind"


def test_tenants_and_versions_have_environments_of_their_own():
    function = FunctionId("1", "r", "f")
    keys = {warm_key(function, "1", None), warm_key(function, "2", None), warm_key(function, "1", "a/b")}
    assert len(keys) == 3
