from lambent.event_sources.scaling import Scaling, ScalingRules


def test_five_then_three_hundred_a_minute_up_to_1250():
    scaling = Scaling(ScalingRules.of({}))
    assert scaling.allowed(0.0) == 5
    scaling.polled(10, 100.0)
    assert [scaling.allowed(100.0 + seconds) for seconds in (0, 1, 60, 249, 9999)] == [5, 10, 305, 1250, 1250]


def test_an_empty_queue_begins_anew():
    scaling = Scaling(ScalingRules.of({}))
    scaling.polled(10, 0.0)
    scaling.polled(3, 60.0)
    assert scaling.allowed(60.0) == 305
    scaling.polled(0, 61.0)
    assert scaling.allowed(61.0) == 5


def test_a_mapping_has_its_own_maximum():
    scaling = Scaling(ScalingRules.of({"ScalingConfig": {"MaximumConcurrency": 2}}))
    scaling.polled(10, 0.0)
    assert scaling.allowed(600.0) == 2
    many = Scaling(ScalingRules.of({"ScalingConfig": {"MaximumConcurrency": 20}}))
    many.polled(10, 0.0)
    assert (many.allowed(0.0), many.allowed(600.0)) == (5, 20)


def test_provisioned_pollers_are_there_from_the_beginning():
    rules = ScalingRules.of({"ProvisionedPollerConfig": {"MinimumPollers": 2, "MaximumPollers": 3}})
    scaling = Scaling(rules)
    assert scaling.allowed(0.0) == 20
    scaling.polled(1, 0.0)
    assert scaling.allowed(60.0) == 30


def test_a_function_that_refuses_gets_half_and_then_more_again():
    scaling = Scaling(ScalingRules.of({"ScalingConfig": {"MaximumConcurrency": 8}}))
    scaling.polled(10, 0.0)
    scaling.throttled(8)
    assert scaling.allowed(60.0) == 4
    scaling.throttled(1)
    assert scaling.allowed(60.0) == 1
    for allowed in (2, 3, 4):
        scaling.succeeded()
        assert scaling.allowed(60.0) == allowed
    for _ in range(10):
        scaling.succeeded()
    assert scaling.allowed(60.0) == 8
