import asyncio
from dataclasses import replace

import pytest

from lambent.model.function import CodeReference
from lambent.model.layer import LayerId, LayerVersion, PermissionStatement
from lambent.store.ports.errors import NotFoundError, StaleRevisionError

ACCOUNT, REGION = "123456789012", "eu-west-1"


def layer_version(name: str = "l", digest: str = "d", size: int = 10, region: str = REGION) -> LayerVersion:
    return LayerVersion(
        layer=LayerId(ACCOUNT, region, name),
        version=0,
        code=CodeReference(digest=digest, sha256="c2hh", size=size),
        compatible_runtimes=("python3.13",),
        created_at=1.5,
    )


async def test_numbers_are_given_in_order_and_never_twice(stores):
    layer = layer_version().layer
    published = [await stores.layers.publish(layer_version()) for _ in range(3)]
    assert [version.version for version in published] == [1, 2, 3]
    assert await stores.layers.get(layer, 2) == published[1]
    for number in (1, 2, 3, 3):
        await stores.layers.delete(layer, number)
    assert await stores.layers.get(layer, 3) is None
    assert (await stores.layers.publish(layer_version())).version == 4


async def test_concurrent_publishers_get_different_numbers(stores):
    published = await asyncio.gather(*(stores.layers.publish(layer_version()) for _ in range(20)))
    assert sorted(version.version for version in published) == list(range(1, 21))


@pytest.mark.parametrize("number", [0, -1, 2, 2**80])
async def test_what_is_not_there_is_none_and_can_be_deleted(stores, number):
    await stores.layers.publish(layer_version())
    assert await stores.layers.get(layer_version().layer, number) is None
    await stores.layers.delete(layer_version().layer, number)


async def test_a_policy_is_replaced_by_comparison(stores):
    version = await stores.layers.publish(layer_version())
    statement = PermissionStatement(statement_id="s", action="lambda:GetLayerVersion", principal="*")
    first = replace(version, statements=(statement,), policy_revision_id="p1")
    await stores.layers.replace(first, expected_policy_revision_id=None)
    assert await stores.layers.get(version.layer, 1) == first
    for stale in (None, "p0"):
        with pytest.raises(StaleRevisionError):
            await stores.layers.replace(first, expected_policy_revision_id=stale)
    await stores.layers.replace(replace(first, policy_revision_id=None), expected_policy_revision_id="p1")
    with pytest.raises(NotFoundError):
        await stores.layers.replace(replace(first, version=2), expected_policy_revision_id=None)


async def test_versions_are_paged_newest_first(stores):
    for _ in range(5):
        await stores.layers.publish(layer_version())
    layer = layer_version().layer
    first = await stores.layers.page_versions(layer, before=None, limit=2)
    then = await stores.layers.page_versions(layer, before=4, limit=9)
    assert [version.version for version in (*first, *then)] == [5, 4, 3, 2, 1]


async def test_layers_are_listed_by_name_with_the_newest_version_that_is_left(stores):
    for name in ("c", "a", "b", "a", "gone"):
        await stores.layers.publish(layer_version(name))
    await stores.layers.publish(layer_version("b", region="us-east-1"))
    await stores.layers.delete(layer_version("a").layer, 2)
    await stores.layers.delete(layer_version("gone").layer, 1)
    page = await stores.layers.page_layers(ACCOUNT, REGION, after=None, limit=9)
    assert [(version.layer.name, version.version) for version in page] == [("a", 1), ("b", 1), ("c", 1)]
    page = await stores.layers.page_layers(ACCOUNT, REGION, after="a", limit=1)
    assert [version.layer.name for version in page] == ["b"]


async def test_code_is_counted_and_in_use_until_its_last_version_is_deleted(stores):
    assert await stores.layers.code_size(ACCOUNT, REGION) == 0
    await stores.layers.publish(layer_version("a", "same", 10))
    await stores.layers.publish(layer_version("b", "same", 30))
    assert await stores.layers.code_size(ACCOUNT, REGION) == 40
    await stores.layers.delete(layer_version("a").layer, 1)
    assert await stores.layers.uses_code("same")
    await stores.layers.delete(layer_version("b").layer, 1)
    assert not await stores.layers.uses_code("same")
    assert await stores.layers.code_size(ACCOUNT, REGION) == 0
