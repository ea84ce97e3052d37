import asyncio
from dataclasses import replace

import pytest

from lambent.model.concurrency import ProvisionedConcurrency
from lambent.model.function import Alias, CodeReference, Function, FunctionId, FunctionVersion, LoggingConfig
from lambent.store.ports.errors import LimitExceededError, NotFoundError

ACCOUNT, REGION = "123456789012", "eu-west-1"


def id(name, region=REGION):
    return FunctionId(ACCOUNT, region, name)


@pytest.fixture
async def made(stores):
    """Functions a, b and c, and one called a elsewhere."""
    for one in (id("a"), id("b"), id("c"), id("a", "us-east-1")):
        latest = FunctionVersion(
            function=one,
            role="r",
            runtime="python3.13",
            handler="h",
            code=CodeReference(digest="d", sha256="s", size=1),
            logging=LoggingConfig(log_group="g"),
            last_modified=1.0,
            revision_id="r",
        )
        await stores.functions.insert(Function(id=one, latest=latest))
    return stores.concurrency


async def test_what_was_reserved_last_counts(made):
    assert await made.reserved(id("a")) is None
    await made.reserve(id("a"), 10, total_most=900)
    await made.reserve(id("a"), 0, total_most=900)
    assert await made.reserved(id("a")) == 0
    assert await made.all_reserved() == {id("a"): 0}
    await made.unreserve(id("a"))
    await made.unreserve(id("a"))
    assert await made.reserved(id("a")) is None


async def test_all_together_have_a_limit_in_each_region(made):
    await made.reserve(id("a"), 600, total_most=900)
    await made.reserve(id("a", "us-east-1"), 900, total_most=900)
    with pytest.raises(LimitExceededError):
        await made.reserve(id("b"), 301, total_most=900)
    await made.reserve(id("b"), 300, total_most=900)
    await made.reserve(id("a"), 100, total_most=900)  # its own 600 are replaced
    assert await made.total_reserved(ACCOUNT, REGION) == 400
    assert await made.total_reserved(ACCOUNT, "us-east-1") == 900
    assert await made.total_reserved(ACCOUNT, "nowhere-1") == 0


async def test_of_two_who_ask_for_the_rest_at_once_one_gets_it(made):
    asked = [made.reserve(id(name), 500, total_most=900) for name in "abc"]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results if result] == [LimitExceededError] * 2
    assert await made.total_reserved(ACCOUNT, REGION) == 500


async def test_only_a_function_that_is_there_is_promised_anything(made):
    with pytest.raises(NotFoundError):
        await made.reserve(id("nobody"), 1, total_most=900)
    with pytest.raises(NotFoundError):
        await made.provision(provisioned("nobody", "1"))


def provisioned(name, qualifier, requested=1):
    return ProvisionedConcurrency(
        function=id(name), qualifier=qualifier, requested=requested, last_modified=2.5
    )


async def test_provisioned_concurrency_is_listed_by_qualifier(made):
    for config in (provisioned("a", "live"), provisioned("a", "2"), provisioned("b", "1")):
        await made.provision(config)
    await made.provision(provisioned("a", "2", 7))
    assert await made.provisioned(id("a")) == [provisioned("a", "2", 7), provisioned("a", "live")]
    assert len(await made.all_provisioned()) == 3
    await made.unprovision(id("a"), "2")
    await made.unprovision(id("a"), "2")
    assert await made.provisioned(id("a")) == [provisioned("a", "live")]


async def test_it_goes_with_what_it_was_promised_to(made, stores):
    function = await stores.functions.get(id("a"))
    for number in ("1", "12"):
        version = replace(function.latest, version=number)
        await stores.functions.publish(function, version, expected_revision_id="r")
        await made.provision(provisioned("a", number))
    await stores.functions.insert_alias(Alias(function=id("a"), name="live", version="1", revision_id="r"))
    await made.provision(provisioned("a", "live"))
    await made.provision(provisioned("b", "1"))
    await made.reserve(id("a"), 5, total_most=900)
    await stores.functions.delete_version(id("a"), "1")
    assert [config.qualifier for config in await made.provisioned(id("a"))] == ["12", "live"]
    await stores.functions.delete_alias(id("a"), "live")
    assert [config.qualifier for config in await made.provisioned(id("a"))] == ["12"]
    await stores.functions.delete(id("a"))
    assert await made.provisioned(id("a")) == []
    assert await made.reserved(id("a")) is None
    assert await made.all_provisioned() == [provisioned("b", "1")]
