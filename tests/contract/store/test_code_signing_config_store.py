from dataclasses import replace

import pytest

from lambent.model.code_signing import CodeSigningConfig
from lambent.model.function import CodeReference, Function, FunctionId, FunctionVersion, LoggingConfig
from lambent.store.ports.errors import InUseError, NotFoundError

ACCOUNT, REGION = "123456789012", "eu-west-1"


def config(id: str = "csc-1", region: str = REGION) -> CodeSigningConfig:
    return CodeSigningConfig(
        account_id=ACCOUNT,
        region=region,
        id=id,
        signing_profile_version_arns=("arn:p",),
        last_modified=1.5,
        tags={"a": "b"},
    )


def id_of(name: str) -> FunctionId:
    return FunctionId(ACCOUNT, REGION, name)


def function(name: str) -> Function:
    code = CodeReference(digest="d", sha256="c2hh", size=1)
    latest = FunctionVersion(
        function=id_of(name),
        runtime="python3.13",
        handler="h",
        role="r",
        code=code,
        logging=LoggingConfig(log_group="g"),
        last_modified=1.0,
        revision_id="1",
    )
    return Function(id=latest.function, latest=latest)


async def test_a_configuration_is_kept_replaced_and_deleted(stores):
    store = stores.code_signing_configs
    await store.insert(config())
    assert await store.get(ACCOUNT, REGION, "csc-1") == config()
    assert await store.get(ACCOUNT, "us-east-1", "csc-1") is None
    changed = replace(config(), untrusted_artifact_on_deployment="Enforce")
    await store.replace(changed)
    assert await store.get(ACCOUNT, REGION, "csc-1") == changed
    await store.delete(ACCOUNT, REGION, "csc-1")
    for refused in (store.replace(changed), store.delete(ACCOUNT, REGION, "csc-1")):
        with pytest.raises(NotFoundError):
            await refused


async def test_configurations_are_paged_by_id_in_a_region(stores):
    store = stores.code_signing_configs
    for id in ("csc-3", "csc-1", "csc-2"):
        await store.insert(config(id))
    await store.insert(config("csc-0", "us-east-1"))
    first = await store.page(ACCOUNT, REGION, after=None, limit=2)
    assert [found.id for found in first] == ["csc-1", "csc-2"]
    assert [found.id for found in await store.page(ACCOUNT, REGION, after="csc-2", limit=2)] == ["csc-3"]


async def test_a_function_has_one_at_most_and_loses_it_with_its_end(stores):
    store = stores.code_signing_configs
    for id in ("csc-1", "csc-2"):
        await store.insert(config(id))
    for name in ("b", "a"):
        await stores.functions.insert(function(name))
        await store.attach(id_of(name), "csc-1")
    assert await store.attached(id_of("a")) == config("csc-1")
    assert await store.page_functions(ACCOUNT, REGION, "csc-1", after=None, limit=9) == ["a", "b"]
    assert await store.page_functions(ACCOUNT, REGION, "csc-1", after="a", limit=9) == ["b"]
    with pytest.raises(InUseError):
        await store.delete(ACCOUNT, REGION, "csc-1")
    with pytest.raises(NotFoundError):
        await store.attach(id_of("a"), "csc-9")
    await store.attach(id_of("a"), "csc-2")
    assert await store.attached(id_of("a")) == config("csc-2")
    await store.detach(id_of("a"))
    await store.detach(id_of("a"))
    assert await store.attached(id_of("a")) is None
    await stores.functions.delete(id_of("b"))
    await store.delete(ACCOUNT, REGION, "csc-1")
