import asyncio
from dataclasses import replace

import pytest

from lambent.model.function import (
    Alias,
    CodeReference,
    Function,
    FunctionId,
    FunctionVersion,
    LayerReference,
    LoggingConfig,
)
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError

ACCOUNT, REGION = "123456789012", "eu-west-1"


def code(digest: str, size: int = 100) -> CodeReference:
    return CodeReference(digest=digest, sha256="c2hh", size=size)


def id_of(name: str, region: str = REGION) -> FunctionId:
    return FunctionId(ACCOUNT, region, name)


def version_of(
    id: FunctionId, version: str = "$LATEST", digest: str = "d0", **settings: object
) -> FunctionVersion:
    values: dict[str, object] = {
        "runtime": "python3.13",
        "handler": "app.handler",
        "role": "arn:aws:iam::123456789012:role/r",
        "logging": LoggingConfig(log_group=f"/aws/lambda/{id.name}"),
        "last_modified": 1.5,
        "revision_id": "r1",
        "state": "Active",
    }
    return FunctionVersion(function=id, version=version, code=code(digest), **(values | settings))  # type: ignore[arg-type]


def function_of(name: str, region: str = REGION, **settings: object) -> Function:
    id = id_of(name, region)
    return Function(id=id, latest=version_of(id, **settings))


async def test_what_was_inserted_is_read_back_whole(stores):
    id = id_of("f")
    layers = (LayerReference(arn="arn:layer", code=code("layer")),)
    latest = version_of(
        id, variables={"K": "Grüße"}, layers=layers, architectures=("arm64",), memory_size=256
    )
    function = Function(
        id=id, latest=latest, serving=version_of(id), tags={"a": "b"}, last_published_version=4
    )
    await stores.functions.insert(function)
    assert await stores.functions.get(id) == function


async def test_what_is_not_there_is_none(stores):
    assert await stores.functions.get(id_of("f")) is None
    await stores.functions.insert(function_of("f"))
    assert await stores.functions.get(id_of("F")) is None
    assert await stores.functions.get(id_of("f", "us-east-1")) is None


async def test_a_name_is_taken_once(stores):
    await stores.functions.insert(function_of("f"))
    with pytest.raises(AlreadyExistsError):
        await stores.functions.insert(function_of("f", memory_size=512))
    assert (await stores.functions.get(id_of("f"))).latest.memory_size == 128
    await stores.functions.insert(function_of("f", "us-east-1"))


async def test_replacing_compares_the_revision(stores):
    await stores.functions.insert(function_of("f"))
    await stores.functions.replace(function_of("f", revision_id="r2"), expected_revision_id="r1")
    with pytest.raises(StaleRevisionError):
        await stores.functions.replace(function_of("f", revision_id="r3"), expected_revision_id="r1")
    assert (await stores.functions.get(id_of("f"))).latest.revision_id == "r2"
    with pytest.raises(NotFoundError):
        await stores.functions.replace(function_of("g"), expected_revision_id="r1")


async def test_of_many_who_replace_one_revision_one_wins(stores):
    await stores.functions.insert(function_of("f"))
    attempts = [
        stores.functions.replace(function_of("f", revision_id=f"n{n}"), expected_revision_id="r1")
        for n in range(20)
    ]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert outcomes.count(None) == 1
    assert all(outcome is None or isinstance(outcome, StaleRevisionError) for outcome in outcomes)


async def test_pages_are_by_name_and_leave_nothing_out(stores):
    names = [f"f{n:02}" for n in range(7)]
    for name in reversed(names):
        await stores.functions.insert(function_of(name))
    await stores.functions.insert(function_of("other", "us-east-1"))
    found, after = [], None
    while page := await stores.functions.page(ACCOUNT, REGION, after=after, limit=3):
        found += [function.id.name for function in page]
        after = found[-1]
    assert found == names


async def publish(stores, name: str, number: int, **settings: object) -> None:
    id = id_of(name)
    function = await stores.functions.get(id)
    await stores.functions.publish(
        replace(function, last_published_version=number),
        version_of(id, str(number), **settings),
        expected_revision_id=function.latest.revision_id,
    )


async def test_publishing_stores_version_and_function_in_one_step(stores):
    await stores.functions.insert(function_of("f"))
    await publish(stores, "f", 1)
    assert (await stores.functions.get(id_of("f"))).last_published_version == 1
    assert await stores.functions.get_version(id_of("f"), "1") == version_of(id_of("f"), "1")
    with pytest.raises(AlreadyExistsError):
        await publish(stores, "f", 1)
    stale = replace(await stores.functions.get(id_of("f")), last_published_version=9)
    with pytest.raises(StaleRevisionError):
        await stores.functions.publish(stale, version_of(id_of("f"), "9"), expected_revision_id="old")
    with pytest.raises(NotFoundError):
        await stores.functions.publish(
            function_of("g"), version_of(id_of("g"), "1"), expected_revision_id="r1"
        )
    # None of the refused left half of itself behind.
    assert (await stores.functions.get(id_of("f"))).last_published_version == 1
    assert await stores.functions.get_version(id_of("f"), "9") is None


@pytest.mark.parametrize("version", ["$LATEST", "2", "01", "-1", "", "٣", "1 ", "9" * 40])
async def test_what_is_no_published_version_is_none(stores, version):
    await stores.functions.insert(function_of("f"))
    await publish(stores, "f", 1)
    assert await stores.functions.get_version(id_of("f"), version) is None
    with pytest.raises(NotFoundError):
        await stores.functions.delete_version(id_of("f"), version)


async def test_versions_are_paged_by_number_not_by_text(stores):
    await stores.functions.insert(function_of("f"))
    for number in (1, 2, 9, 10, 11):
        await publish(stores, "f", number)
    page = await stores.functions.page_versions(id_of("f"), after=2, limit=2)
    assert [version.version for version in page] == ["9", "10"]


async def test_all_versions_are_paged_by_name_then_number(stores):
    for name in ("b", "a"):
        await stores.functions.insert(function_of(name))
        for number in (1, 2, 10):
            await publish(stores, name, number)
    found, after = [], None
    while page := await stores.functions.page_all_versions(ACCOUNT, REGION, after=after, limit=2):
        found += [(version.function.name, int(version.version)) for version in page]
        after = found[-1]
    assert found == [(name, number) for name in "ab" for number in (1, 2, 10)]


async def test_a_version_can_be_replaced_and_deleted(stores):
    await stores.functions.insert(function_of("f"))
    await publish(stores, "f", 1, state="Pending")
    settled = version_of(id_of("f"), "1", state="Active")
    await stores.functions.replace_version(settled)
    assert await stores.functions.get_version(id_of("f"), "1") == settled
    await stores.functions.delete_version(id_of("f"), "1")
    with pytest.raises(NotFoundError):
        await stores.functions.replace_version(settled)


async def test_deleting_a_function_takes_all_that_belongs_to_it(stores):
    for name in ("f", "g"):
        await stores.functions.insert(function_of(name))
        await publish(stores, name, 1)
        await stores.functions.insert_alias(alias_of(name, "live"))
    await stores.functions.delete(id_of("f"))
    assert await stores.functions.get(id_of("f")) is None
    assert await stores.functions.get_version(id_of("f"), "1") is None
    assert await stores.functions.get_alias(id_of("f"), "live") is None
    assert await stores.functions.get_alias(id_of("g"), "live") is not None
    with pytest.raises(NotFoundError):
        await stores.functions.delete(id_of("f"))
    await stores.functions.insert(function_of("f"))
    assert await stores.functions.page_versions(id_of("f"), after=0, limit=9) == []


def alias_of(function: str, name: str, version: str = "1", **settings: object) -> Alias:
    values: dict[str, object] = {"revision_id": "a1"}
    return Alias(function=id_of(function), name=name, version=version, **(values | settings))  # type: ignore[arg-type]


async def test_aliases(stores):
    with pytest.raises(NotFoundError):
        await stores.functions.insert_alias(alias_of("f", "live"))
    await stores.functions.insert(function_of("f"))
    alias = alias_of("f", "live", description="d", weights={"2": 0.25})
    await stores.functions.insert_alias(alias)
    assert await stores.functions.get_alias(id_of("f"), "live") == alias
    with pytest.raises(AlreadyExistsError):
        await stores.functions.insert_alias(alias)
    changed = alias_of("f", "live", "3", revision_id="a2")
    await stores.functions.replace_alias(changed, expected_revision_id="a1")
    with pytest.raises(StaleRevisionError):
        await stores.functions.replace_alias(changed, expected_revision_id="a1")
    with pytest.raises(NotFoundError):
        await stores.functions.replace_alias(alias_of("f", "no"), expected_revision_id="a1")
    await stores.functions.delete_alias(id_of("f"), "live")
    await stores.functions.delete_alias(id_of("f"), "live")
    assert await stores.functions.get_alias(id_of("f"), "live") is None


async def test_aliases_of_a_version_are_those_that_send_anything_to_it(stores):
    await stores.functions.insert(function_of("f"))
    for alias in (
        alias_of("f", "c", "1"),
        alias_of("f", "a", "11"),
        alias_of("f", "b", "2", weights={"1": 0.1}),
        alias_of("f", "d", "2", weights={"11": 0.1}),
    ):
        await stores.functions.insert_alias(alias)

    async def names(**page: object) -> list[str]:
        found = await stores.functions.page_aliases(
            id_of("f"), **({"version": None, "after": None, "limit": 9} | page)
        )
        return [alias.name for alias in found]

    assert await names() == ["a", "b", "c", "d"]
    assert await names(version="1") == ["b", "c"]
    assert await names(version="11") == ["a", "d"]
    assert await names(after="b", limit=1) == ["c"]


async def test_unsettled_are_those_in_transition(stores):
    await stores.functions.insert(function_of("active"))
    await stores.functions.insert(function_of("creating", state="Pending"))
    await stores.functions.insert(function_of("updating", last_update_status="InProgress"))
    await publish(stores, "active", 1, state="Pending")
    found = {(version.function.name, version.version) for version in await stores.functions.unsettled()}
    assert found == {("creating", "$LATEST"), ("updating", "$LATEST"), ("active", "1")}
    await stores.functions.replace(function_of("updating"), expected_revision_id="r1")
    await stores.functions.replace_version(version_of(id_of("active"), "1"))
    assert [version.function.name for version in await stores.functions.unsettled()] == ["creating"]


async def test_usage_counts_functions_and_the_code_of_all_versions(stores):
    assert await stores.functions.usage(ACCOUNT, REGION) == (0, 0)
    for name in ("f", "g"):
        await stores.functions.insert(function_of(name))
    await publish(stores, "f", 1)
    await publish(stores, "f", 2)
    await stores.functions.insert(function_of("elsewhere", "us-east-1"))
    assert await stores.functions.usage(ACCOUNT, REGION) == (2, 400)
    bigger = await stores.functions.get(id_of("g"))
    bigger = replace(bigger, latest=replace(bigger.latest, code=code("d1", 1000)))
    await stores.functions.replace(bigger, expected_revision_id="r1")
    await stores.functions.delete_version(id_of("f"), "1")
    assert await stores.functions.usage(ACCOUNT, REGION) == (2, 1200)
    await stores.functions.delete(id_of("f"))
    assert await stores.functions.usage(ACCOUNT, REGION) == (1, 1000)


async def test_code_is_in_use_by_any_version_or_layer_and_by_what_still_serves(stores):
    id = id_of("f")
    layers = (LayerReference(arn="arn:layer", code=code("layer")),)
    function = Function(
        id=id, latest=version_of(id, digest="new", layers=layers), serving=version_of(id, digest="old")
    )
    await stores.functions.insert(function)
    await publish(stores, "f", 1, digest="published")

    async def used() -> list[str]:
        digests = ("new", "old", "layer", "published", "other")
        return [digest for digest in digests if await stores.functions.uses_code(digest)]

    assert await used() == ["new", "old", "layer", "published"]
    plain = version_of(id, digest="new")
    await stores.functions.replace(replace(function, latest=plain, serving=plain), expected_revision_id="r1")
    assert await used() == ["new", "published"]
    await stores.functions.delete_version(id, "1")
    assert await used() == ["new"]
    await stores.functions.delete(id)
    assert await used() == []
