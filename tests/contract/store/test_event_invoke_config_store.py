from dataclasses import replace

import msgspec.structs
import pytest

from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.function import Alias, CodeReference, Function, FunctionId, FunctionVersion, LoggingConfig
from lambent.store.ports.errors import NotFoundError

F = FunctionId("123456789012", "eu-west-1", "f")


def config(qualifier="$LATEST", **settings):
    return EventInvokeConfig(function=F, qualifier=qualifier, last_modified=1.5, **settings)


@pytest.fixture
async def configs(stores):
    latest = FunctionVersion(
        function=F,
        role="r",
        runtime="python3.13",
        handler="h",
        code=CodeReference(digest="d", sha256="s", size=1),
        logging=LoggingConfig(log_group="g"),
        last_modified=1.0,
        revision_id="r",
    )
    await stores.functions.insert(Function(id=F, latest=latest))
    return stores.event_invoke_configs


async def test_what_was_put_last_is_got(configs):
    assert await configs.get(F, "$LATEST") is None
    await configs.put(config(maximum_retry_attempts=2, on_failure="arn"))
    await configs.put(config(maximum_event_age_seconds=60))
    assert await configs.get(F, "$LATEST") == config(maximum_event_age_seconds=60)


async def test_pages_are_by_qualifier(configs):
    for qualifier in ("live", "1", "$LATEST", "10"):
        await configs.put(config(qualifier))
    first = await configs.page(F, after=None, limit=3)
    assert [each.qualifier for each in first] == ["$LATEST", "1", "10"]
    assert [each.qualifier for each in await configs.page(F, after="10", limit=3)] == ["live"]
    assert len(await configs.page(F, after=None, limit=None)) == 4


async def test_what_is_not_there_cannot_be_deleted_or_configured(configs):
    with pytest.raises(NotFoundError):
        await configs.delete(F, "1")
    await configs.put(config("1"))
    await configs.delete(F, "1")
    assert await configs.get(F, "1") is None
    with pytest.raises(NotFoundError):
        await configs.put(replace(config(), function=msgspec.structs.replace(F, name="nobody")))


async def test_a_configuration_goes_with_what_it_is_of(configs, stores):
    function = await stores.functions.get(F)
    version = replace(function.latest, version="1")
    await stores.functions.publish(function, version, expected_revision_id="r")
    await stores.functions.insert_alias(Alias(function=F, name="live", version="1", revision_id="r"))
    for qualifier in ("$LATEST", "1", "live"):
        await configs.put(config(qualifier))
    await stores.functions.delete_alias(F, "live")
    await stores.functions.delete_version(F, "1")
    assert [each.qualifier for each in await configs.page(F, after=None, limit=None)] == ["$LATEST"]
    await stores.functions.delete(F)
    assert await configs.page(F, after=None, limit=None) == []
