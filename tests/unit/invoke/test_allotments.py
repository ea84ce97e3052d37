import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from lambent.invoke.allotments import Allotments
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.directory import Directory
from lambent.model.concurrency import ProvisionedConcurrency, ProvisionedStatus
from lambent.model.function import Alias
from lambent.model.lambda_errors import TooManyRequestsException


class Promises:
    """Of ConcurrencyStore what is read here."""

    def __init__(self):
        self.reservations = {}
        self.configs = []

    async def reserved(self, id):
        return self.reservations.get(id)

    async def all_reserved(self):
        return self.reservations

    async def provisioned(self, id):
        return [config for config in self.configs if config.function == id]

    async def all_provisioned(self):
        return self.configs


class Pools:
    def __init__(self):
        self.wanted = {}
        self.states = {}

    def provision(self, version, wanted):
        self.wanted[version.version] = wanted

    def unprovision(self, function, keep):
        for number in set(self.wanted) - set(keep):
            del self.wanted[number]

    def provisioned(self, function, number):
        return self.states.get(number)


@pytest.fixture
def parts(store):
    promises, pools, concurrency, directory = Promises(), Pools(), Concurrency(1000), Directory(store)
    allotments = Allotments(promises, concurrency, directory, pools)
    directory.on_change = allotments.function_changed
    return allotments, promises, pools, concurrency, directory


def config(hello, qualifier, requested=10):
    return ProvisionedConcurrency(function=hello, qualifier=qualifier, requested=requested, last_modified=1.0)


async def test_what_is_promised_is_in_force_after_a_restart(parts, hello):
    allotments, promises, pools, concurrency, _ = parts
    promises.reservations[hello] = 20
    promises.configs = [config(hello, "1", 5)]
    await allotments.open()
    assert concurrency.room(hello) == 20
    assert pools.wanted == {"1": 5}


async def test_an_alias_divides_them_by_its_weights(parts, hello, store):
    allotments, promises, pools, _, _ = parts
    store.aliases["live"] = Alias(
        function=hello, name="live", version="1", weights={"2": 0.3}, revision_id="r"
    )
    promises.configs = [config(hello, "live")]
    await allotments.refresh(hello)
    assert pools.wanted == {"1": 7, "2": 3}


async def test_an_alias_takes_them_along_to_another_version(parts, hello, store):
    allotments, promises, pools, _, directory = parts
    store.aliases["live"] = Alias(function=hello, name="live", version="1", revision_id="r")
    promises.configs = [config(hello, "live")]
    await allotments.refresh(hello)
    assert pools.wanted == {"1": 10}
    store.aliases["live"] = moved = replace(store.aliases["live"], version="2")
    await directory.replace_alias(moved, expected_revision_id="r")
    await asyncio.sleep(0.001)
    assert pools.wanted == {"2": 10}
    promises.configs = []
    await allotments.refresh(hello)
    assert pools.wanted == {}


async def test_a_status_is_never_that_of_the_version_an_alias_pointed_to_before(parts, hello, store):
    allotments, promises, pools, _, directory = parts
    store.aliases["live"] = Alias(function=hello, name="live", version="1", revision_id="r")
    promises.configs = [config(hello, "live")]
    await allotments.refresh(hello)
    pools.states["1"] = SimpleNamespace(ready=10, failure=None)
    store.aliases["live"] = moved = replace(store.aliases["live"], version="2")
    await directory.replace_alias(moved, expected_revision_id="r")
    asked = asyncio.ensure_future(allotments.status(promises.configs[0]))  # another request: after it began
    assert (await asked).status == "IN_PROGRESS"


async def test_what_cannot_be_invoked_yet_has_none_until_it_can(parts, hello, store, version):
    allotments, promises, pools, _, directory = parts
    store.versions["1"] = version("1", state="Pending")
    promises.configs = [config(hello, "1")]
    await allotments.refresh(hello)
    assert pools.wanted == {}
    assert await allotments.status(promises.configs[0]) == ProvisionedStatus(ready=0, status="IN_PROGRESS")
    store.versions["1"] = version("1")
    await directory.replace_version(version("1"))
    await asyncio.sleep(0.001)
    assert pools.wanted == {"1": 10}


@pytest.mark.parametrize(
    ("ready", "failure", "status"),
    [
        (4, None, ProvisionedStatus(ready=4, status="IN_PROGRESS")),
        (10, None, ProvisionedStatus(ready=10, status="READY")),
        (12, "old", ProvisionedStatus(ready=10, status="READY")),
        (4, "why", ProvisionedStatus(ready=4, status="FAILED", reason="why")),
    ],
)
async def test_the_status_is_that_of_the_environments(parts, hello, ready, failure, status):
    allotments, promises, pools, _, _ = parts
    promises.configs = [config(hello, "1")]
    await allotments.refresh(hello)
    pools.states["1"] = SimpleNamespace(ready=ready, failure=failure)
    assert await allotments.status(promises.configs[0]) == status


async def test_a_function_with_no_promise_costs_nothing_when_it_changes(parts, hello, store):
    _, promises, pools, _, directory = parts
    promises.provisioned = None
    await directory.replace(store.functions[hello], expected_revision_id="r")
    await asyncio.sleep(0.001)
    assert pools.wanted == {}


async def test_of_what_is_provisioned_each_node_has_its_part_and_all_of_them_are_told(parts, hello, store):
    _, promises, pools, concurrency, directory = parts
    promises.configs = [config(hello, "1", 10)]
    allotments = Allotments(promises, concurrency, directory, pools, lambda name, count: count // 2)
    await allotments.open()
    assert pools.wanted == {"1": 5}
    assert concurrency.room(hello) == 1000 - 10 + 5, "the limits leave out what is provisioned elsewhere, too"

    pools.states["1"] = SimpleNamespace(ready=5, failure=None)
    allotments.elsewhere = lambda version: (4, None)
    assert (await allotments.status(promises.configs[0])).ready == 9
    allotments.elsewhere = lambda version: (0, "FUNCTION_ERROR_INIT_FAILURE")
    assert (await allotments.status(promises.configs[0])).status == "FAILED"
    allotments.elsewhere = lambda version: (5, None)
    assert (await allotments.status(promises.configs[0])).status == "READY"
    await allotments.close()


async def test_what_is_provisioned_is_others_until_this_node_is_a_member_again(parts, hello):
    allotments, promises, pools, concurrency, _ = parts
    promises.reservations[hello] = 5
    promises.configs = [config(hello, "1", 5)]
    await allotments.refresh(hello)
    lane = concurrency.share(hello).lane("1")
    end = lane.acquire()
    for _ in range(2):  # told with each beat
        allotments.withdraw()
        assert pools.wanted == {}
        with pytest.raises(TooManyRequestsException):
            lane.acquire()
    end()
    for _ in range(2):
        allotments.restore()
        await allotments.status(promises.configs[0])
    await asyncio.sleep(0)
    assert pools.wanted == {"1": 5}
    lane.acquire()
