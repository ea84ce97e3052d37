import asyncio
import dataclasses

import pytest

from lambent.invoke.directory import Directory, Target
from lambent.model.function import Alias, Function
from lambent.model.lambda_errors import ResourceConflictException, ResourceNotFoundException
from lambent.store.ports.errors import StaleRevisionError, StoreUnavailableError


def alias(hello, name="live", to="1", **weights):
    return Alias(
        function=hello,
        name=name,
        version=to,
        weights={k.strip("v"): w for k, w in weights.items()},
        revision_id="r",
    )


@pytest.fixture
def directory(store):
    return Directory(store)


@pytest.mark.parametrize("qualifier", [None, "$LATEST"])
async def test_unqualified_is_what_serves_and_not_what_is_wanted(directory, store, hello, version, qualifier):
    wanted = version(description="not yet", state="Pending")
    store.put(latest=wanted, serving=version())
    assert (await directory.resolve(hello, qualifier)).version == version()


async def test_a_number_is_the_published_version(directory, hello, version):
    assert (await directory.resolve(hello, "2")).version == version("2")


async def test_an_alias_is_its_version(directory, store, hello, version):
    store.aliases["live"] = alias(hello)
    assert await directory.resolve(hello, "live") == Target(version("1"))


async def test_a_weighted_alias_is_two_versions_by_their_shares(directory, store, hello, monkeypatch):
    store.aliases["live"] = alias(hello, v2=0.25)
    target = await directory.resolve(hello, "live")
    shares = iter([0.0, 0.2499, 0.25, 0.99])
    monkeypatch.setattr("random.random", lambda: next(shares))
    assert [target.choose().version for _ in range(4)] == ["2", "2", "1", "1"]


async def test_a_weight_of_zero_gets_nothing(directory, store, hello):
    store.aliases["live"] = alias(hello, v2=0.0)
    target = await directory.resolve(hello, "live")
    assert {target.choose().version for _ in range(200)} == {"1"}


async def test_what_is_not_there_is_named_as_it_was_asked_for(directory, hello, store):
    for qualifier in ("3", "nobody"):
        with pytest.raises(ResourceNotFoundException, match=f"Function not found: {hello.arn(qualifier)}"):
            await directory.resolve(hello, qualifier)
    store.functions.clear()
    with pytest.raises(ResourceNotFoundException, match=rf"Function not found: {hello.arn()}:\$LATEST$"):
        await directory.resolve(hello, None)


async def test_what_is_not_active_yet_cannot_be_invoked_and_is_asked_for_again(
    directory, store, hello, version
):
    store.put(latest=version(state="Pending"), serving=None)
    with pytest.raises(ResourceConflictException, match="in the following state: Pending"):
        await directory.resolve(hello, None)
    assert await directory.current_version(hello, "$LATEST") is None
    store.put()
    assert await directory.current_version(hello, "$LATEST") == version()


async def test_a_failed_version_cannot_be_invoked(directory, store, hello, version):
    store.versions["1"] = version("1", state="Failed")
    with pytest.raises(ResourceConflictException, match="Failed"):
        await directory.resolve(hello, "1")


async def test_what_did_not_change_is_read_once(directory, store, hello):
    assert directory.known(hello, None) is None
    await directory.resolve(hello, None)
    for _ in range(3):
        await directory.resolve(hello, None)
    assert directory.known(hello, None) is not None
    assert store.reads == 1


WRITES = {
    "insert": lambda d, f, v, a: d.insert(f),
    "replace": lambda d, f, v, a: d.replace(f, expected_revision_id="r"),
    "delete": lambda d, f, v, a: d.delete(f.id),
    "publish": lambda d, f, v, a: d.publish(f, v, expected_revision_id="r"),
    "replace_version": lambda d, f, v, a: d.replace_version(v),
    "delete_version": lambda d, f, v, a: d.delete_version(f.id, "1"),
    "insert_alias": lambda d, f, v, a: d.insert_alias(a),
    "replace_alias": lambda d, f, v, a: d.replace_alias(a, expected_revision_id="r"),
    "delete_alias": lambda d, f, v, a: d.delete_alias(f.id, "live"),
}


@pytest.mark.parametrize("write", WRITES)
async def test_after_each_kind_of_write_the_store_is_asked_again(directory, store, hello, version, write):
    told = []
    directory.on_change = told.append
    await directory.resolve(hello, None)
    await WRITES[write](directory, store.functions[hello], version("1"), alias(hello))
    assert directory.known(hello, None) is None
    assert told == [hello]


async def test_a_write_that_the_store_refuses_changes_nothing(directory, store, hello):
    async def refuse():
        raise StaleRevisionError("stale")

    store.before_write = refuse
    told = []
    directory.on_change = told.append
    await directory.resolve(hello, None)
    with pytest.raises(StaleRevisionError):
        await directory.replace(store.functions[hello], expected_revision_id="r")
    await directory.resolve(hello, None)
    assert directory.known(hello, None) is not None
    assert told == []


@pytest.mark.parametrize("changed_meanwhile", [False, True])
async def test_while_the_database_is_away_what_was_known_holds(directory, store, hello, changed_meanwhile):
    async def fail():
        if changed_meanwhile:
            directory.forget(hello)
        raise StoreUnavailableError("away")

    store.before_write = fail
    target = await directory.resolve(hello, None)
    with pytest.raises(StoreUnavailableError):
        await directory.replace(store.functions[hello], expected_revision_id="r")
    assert directory.known(hello, None) is (None if changed_meanwhile else target)


async def test_what_was_read_while_something_was_written_is_not_remembered(directory, store, hello, version):
    new = version(description="new")

    async def write_meanwhile():
        store.after_read = None
        await directory.replace(Function(id=hello, latest=new, serving=new), expected_revision_id="r")

    store.after_read = write_meanwhile
    await directory.resolve(hello, None)
    assert directory.known(hello, None) is None
    assert (await directory.resolve(hello, None)).version == new


async def test_a_write_whose_caller_left_is_noticed_when_it_is_done(directory, store, hello, version):
    gate = asyncio.Event()
    store.before_write = gate.wait
    new = dataclasses.replace(version(), description="new")
    writing = asyncio.create_task(
        directory.replace(Function(id=hello, latest=new, serving=new), expected_revision_id="r")
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert (await directory.resolve(hello, None)).version == version()
    gate.set()
    await asyncio.sleep(0.001)
    assert (await directory.resolve(hello, None)).version == new


async def test_what_is_resolved_while_a_write_is_under_way_is_not_remembered(
    directory, store, hello, version
):
    """Readers may see what was committed before the writer hears that it was."""
    assert (await directory.resolve(hello, None)).version.revision_id == "r$LATEST"
    committed, told = asyncio.Event(), asyncio.Event()

    async def slow():
        committed.set()
        await told.wait()

    store.before_write = slow
    latest = version(revision_id="new")
    writing = asyncio.create_task(
        directory.replace(Function(id=hello, latest=latest, serving=latest), expected_revision_id="r$LATEST")
    )
    await committed.wait()
    store.put(latest=latest, serving=latest)
    assert directory.known(hello, None) is None
    assert (await directory.resolve(hello, None)).version.revision_id == "new"
    assert directory.known(hello, None) is None
    told.set()
    await writing
    await directory.resolve(hello, None)
    assert directory.known(hello, None) is not None
