import pytest

from lambent.model.function import (
    Alias,
    CodeReference,
    Function,
    FunctionId,
    FunctionVersion,
    LoggingConfig,
)
from lambent.model.function_policy import FunctionPolicy
from lambent.store.ports.errors import NotFoundError, StaleRevisionError

ID = FunctionId("123456789012", "eu-west-1", "f")
ALLOWS = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*"}]}'
DENIES = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*"}}'


def version(number: str, revision_id: str, id: FunctionId = ID) -> FunctionVersion:
    return FunctionVersion(
        function=id,
        version=number,
        runtime="python3.13",
        handler="a.b",
        role="arn:aws:iam::123456789012:role/r",
        code=CodeReference(digest="d", sha256="c2hh", size=10),
        variables={"NAME": "ä\u2028"},
        logging=LoggingConfig(log_group="/aws/lambda/f"),
        last_modified=1.25,
        revision_id=revision_id,
    )


@pytest.fixture
async def holders(stores):
    """A function with version 1 and an alias of it, whose revisions are "f", "v" and "a"."""
    latest = version("$LATEST", "f")
    function = Function(id=ID, latest=latest, serving=latest)
    await stores.functions.insert(function)
    await stores.functions.publish(function, version("1", "v"), expected_revision_id="f")
    await stores.functions.insert_alias(Alias(function=ID, name="live", version="1", revision_id="a"))
    return stores


def policy(qualifier: str, document: str = ALLOWS) -> FunctionPolicy:
    return FunctionPolicy(function=ID, qualifier=qualifier, document=document)


async def revision(stores, qualifier: str) -> str:
    if not qualifier:
        return (await stores.functions.get(ID)).latest.revision_id
    if qualifier.isdigit():
        return (await stores.functions.get_version(ID, qualifier)).revision_id
    return (await stores.functions.get_alias(ID, qualifier)).revision_id


@pytest.mark.parametrize(("qualifier", "before"), [("", "f"), ("1", "v"), ("live", "a")])
async def test_a_policy_and_the_revision_of_what_it_is_attached_to_change_together(
    holders, qualifier, before
):
    store = holders.function_policies
    await store.put(policy(qualifier), revision_id="r1", expected_revision_id=before)
    assert await store.get(ID, qualifier) == policy(qualifier)
    assert await revision(holders, qualifier) == "r1"
    for write in (store.put, None):
        with pytest.raises(StaleRevisionError):
            if write:
                await store.put(policy(qualifier, DENIES), revision_id="r2", expected_revision_id=before)
            else:
                await store.delete(ID, qualifier, revision_id="r2", expected_revision_id=before)
    assert await store.get(ID, qualifier) == policy(qualifier)
    await store.delete(ID, qualifier, revision_id="r2", expected_revision_id="r1")
    assert await store.get(ID, qualifier) is None
    assert await revision(holders, qualifier) == "r2"
    await store.delete(ID, qualifier, revision_id="r3", expected_revision_id="r2")
    others = {"": "f", "1": "v", "live": "a"}
    del others[qualifier]
    assert {other: await revision(holders, other) for other in others} == others


async def test_nothing_else_of_the_function_changes(holders):
    before = await holders.functions.get(ID)
    await holders.function_policies.put(policy(""), revision_id="r1", expected_revision_id="f")
    after = await holders.functions.get(ID)
    assert after.serving == before.serving
    assert after.latest.variables == before.latest.variables
    await holders.functions.replace(after, expected_revision_id="r1")
    with pytest.raises(StaleRevisionError):
        await holders.functions.replace(before, expected_revision_id="f")


@pytest.mark.parametrize("qualifier", ["2", "other"])
async def test_what_is_not_there_takes_no_policy(holders, qualifier):
    with pytest.raises(NotFoundError):
        await holders.function_policies.put(policy(qualifier), revision_id="r", expected_revision_id="v")
    nobody = FunctionPolicy(function=FunctionId("1", "r", "f"), qualifier="", document=ALLOWS)
    with pytest.raises(NotFoundError):
        await holders.function_policies.put(nobody, revision_id="r", expected_revision_id="f")
    assert await holders.function_policies.get(ID, qualifier) is None


async def test_a_policy_goes_with_what_it_was_attached_to(holders):
    store = holders.function_policies
    for qualifier, expected in (("", "f"), ("1", "v"), ("live", "a")):
        await store.put(policy(qualifier, DENIES), revision_id="r", expected_revision_id=expected)
    assert await store.denying() == [ID]
    await holders.functions.delete_alias(ID, "live")
    assert await store.get(ID, "live") is None
    await holders.functions.delete_version(ID, "1")
    assert await store.get(ID, "1") is None
    assert await store.get(ID, "") is not None
    await holders.functions.delete(ID)
    assert await store.get(ID, "") is None
    assert await store.denying() == []


async def test_only_denials_count_as_denying(holders):
    await holders.function_policies.put(policy("live"), revision_id="r", expected_revision_id="a")
    assert await holders.function_policies.denying() == []
    await holders.function_policies.put(policy("live", DENIES), revision_id="s", expected_revision_id="r")
    assert await holders.function_policies.denying() == [ID]
