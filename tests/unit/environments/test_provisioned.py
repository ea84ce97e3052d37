import asyncio
import dataclasses

import pytest

from lambent.base.clock import ManualClock
from lambent.environments.start_rate import StartRate
from lambent.model.lambda_errors import TooManyRequestsException


@pytest.fixture
async def pools(bench):
    bench.clock = ManualClock()
    pools = bench.pools()
    yield pools
    for gate in bench.gates.values():
        gate.set()
    await pools.close()


def ready(pools, version):
    provisioned = pools.provisioned(version.function, version.version)
    return 0 if provisioned is None else provisioned.ready


async def invoke(pools, version, invocation):
    result = await pools.invoke(version, invocation(), lambda: None)
    return result.payload


def initialization_types(bench):
    return [sandbox.settings["variables"]["AWS_LAMBDA_INITIALIZATION_TYPE"] for sandbox in bench.backend.made]


async def test_environments_are_made_before_anybody_asks(pools, bench, version, invocation):
    pools.provision(version(), 3)
    await bench.until(lambda: ready(pools, version()) == 3)
    assert initialization_types(bench) == ["provisioned-concurrency"] * 3
    await invoke(pools, version(), invocation)
    assert len(bench.backend.made) == 3
    assert pools.provisioned(version().function, "$LATEST").read_counts() == (1, 0)


async def test_who_finds_none_left_gets_one_on_demand(pools, bench, version, invocation):
    gate = asyncio.Event()

    async def wait(bootstrap, payload):
        await gate.wait()
        await bootstrap.send(19, b"1")

    bench.on_invoke = wait
    pools.provision(version(), 1)
    await bench.until(lambda: ready(pools, version()) == 1)
    calls = [asyncio.create_task(invoke(pools, version(), invocation)) for _ in range(2)]
    await bench.until(lambda: len(bench.backend.made) == 2)
    gate.set()
    await asyncio.gather(*calls)
    pool = pools._pools[(version().function, "$LATEST", None)]
    await bench.until(lambda: len(pool._idle) == 1 and len(pool.provisioned.idle) == 1)
    assert initialization_types(bench) == ["provisioned-concurrency", "on-demand"]
    assert pool.provisioned.read_counts() == (1, 1)
    assert pool.provisioned.read_counts() == (0, 0)


async def test_they_are_frozen_but_do_not_expire(pools, bench, version):
    pools.provision(version(), 1)
    await bench.until(lambda: ready(pools, version()) == 1)
    (pool,) = pools._pools.values()
    for _ in range(4):
        bench.clock.advance(200)
        pool.sweep()
    assert ready(pools, version()) == 1
    assert bench.backend.made[0].steps[-1] == "freeze"


async def test_what_dies_or_is_too_old_is_made_anew(pools, bench, version):
    pools.provision(version(), 2)
    await bench.until(lambda: ready(pools, version()) == 2)
    (pool,) = pools._pools.values()
    bench.backend.made[0]._bootstrap.exit(code=1)
    pool.sweep()
    await bench.until(lambda: ready(pools, version()) == 2 and len(bench.backend.made) == 3)
    bench.clock.advance(1001)
    pool.sweep()
    await bench.until(lambda: ready(pools, version()) == 2 and len(bench.backend.made) == 5)
    await bench.until(lambda: len(bench.backend.alive) == 2)


async def test_fewer_or_none_are_ended(pools, bench, version):
    pools.provision(version(), 3)
    await bench.until(lambda: ready(pools, version()) == 3)
    pools.provision(version(), 1)
    await bench.until(lambda: len(bench.backend.alive) == 1)
    pools.unprovision(version().function, ())
    await bench.until(lambda: not bench.backend.alive)
    (pool,) = pools._pools.values()
    assert pool.deserted


async def test_an_updated_version_has_its_own(pools, bench, version):
    pools.provision(version(), 1)
    await bench.until(lambda: ready(pools, version()) == 1)
    changed = dataclasses.replace(version(), revision_id="2")
    pools.provision(changed, 1)
    await bench.until(lambda: len(bench.backend.made) == 2 and ready(pools, changed) == 1)
    await bench.until(lambda: len(bench.backend.alive) == 1)


async def test_an_invocation_of_a_changed_version_keeps_what_is_wanted(pools, bench, version, invocation):
    pools.provision(version(), 2)
    await bench.until(lambda: ready(pools, version()) == 2)
    changed = dataclasses.replace(version(), revision_id="2")
    await invoke(pools, changed, invocation)
    await bench.until(lambda: ready(pools, changed) == 2)


async def test_an_init_that_fails_is_told_and_tried_again_later(pools, bench, version):
    async def fail(bootstrap):
        await bootstrap.send(18, b'{"errorMessage": "no"}', errorType="E")

    good, bench.on_init = bench.on_init, fail
    pools.provision(version(), 1)
    provisioned = pools.provisioned(version().function, "$LATEST")
    await bench.until(lambda: provisioned.failure == "FUNCTION_ERROR_INIT_FAILURE")
    (pool,) = pools._pools.values()
    made = len(bench.backend.made)
    pool.sweep()
    await asyncio.sleep(0.002)
    assert len(bench.backend.made) == made
    bench.on_init = good
    bench.clock.advance(5)
    pool.sweep()
    await bench.until(lambda: provisioned.ready == 1)
    assert provisioned.failure is None


async def test_no_more_than_a_few_are_made_at_a_time(pools, bench, version):
    bench.gates["create"] = asyncio.Event()
    pools.provision(version(), 100)
    await asyncio.sleep(0.002)
    (pool,) = pools._pools.values()
    assert pool.provisioned._starting == 8


def test_a_thousand_may_start_at_once_and_a_hundred_a_second():
    rate = StartRate(0.0)
    for _ in range(1000):
        rate.take(0.0)
    with pytest.raises(TooManyRequestsException):
        rate.take(0.0)
    for _ in range(100):
        rate.take(1.0)
    with pytest.raises(TooManyRequestsException, match="Rate Exceeded"):
        rate.take(1.0)
    for _ in range(1000):
        rate.take(1000.0)
    with pytest.raises(TooManyRequestsException):
        rate.take(1000.0)
