from dataclasses import replace

import pytest

from lambent.model.function import (
    Alias,
    CodeReference,
    Function,
    FunctionId,
    FunctionVersion,
    LoggingConfig,
)
from lambent.model.function_url import Cors, FunctionUrl
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError

ID = FunctionId("123456789012", "eu-west-1", "f")
CORS = Cors(allow_origins=("*",), max_age=0, allow_credentials=False)


def url(qualifier: str = "", id: str = "a" * 32, function: FunctionId = ID) -> FunctionUrl:
    return FunctionUrl(
        function=function,
        qualifier=qualifier,
        id=id,
        auth_type="NONE",
        cors=CORS,
        created_at=1.25,
        modified_at=2.5,
    )


@pytest.fixture
async def urls(stores):
    latest = FunctionVersion(
        function=ID,
        runtime="python3.13",
        handler="a.b",
        role="r",
        code=CodeReference(digest="d", sha256="s", size=1),
        logging=LoggingConfig(log_group="g"),
        last_modified=0.0,
        revision_id="f",
    )
    await stores.functions.insert(Function(id=ID, latest=latest, serving=latest))
    await stores.functions.insert_alias(Alias(function=ID, name="live", version="$LATEST", revision_id="a"))
    return stores.function_urls


async def test_a_url_from_insertion_to_deletion(urls):
    await urls.insert(url())
    assert await urls.get(ID, "") == await urls.by_id("a" * 32) == url()
    with pytest.raises(AlreadyExistsError):
        await urls.insert(url(id="b" * 32))
    changed = replace(url(), auth_type="AWS_IAM", cors=None)
    await urls.replace(changed)
    assert await urls.get(ID, "") == changed
    await urls.delete(ID, "")
    assert await urls.get(ID, "") is None
    assert await urls.by_id("a" * 32) is None


async def test_what_is_not_there(urls):
    assert await urls.by_id("z" * 32) is None
    for change in (urls.replace(url()), urls.delete(ID, "")):
        with pytest.raises(NotFoundError):
            await change
    with pytest.raises(NotFoundError):
        await urls.insert(url(function=FunctionId("1", "r", "none")))


async def test_pages_begin_with_the_function_s_own(urls):
    own, live, old = url(), url("live", "b" * 32), url("old", "c" * 32)
    for one in (live, old, own):
        await urls.insert(one)
    assert list(await urls.page(ID, after=None, limit=9)) == [own, live, old]
    assert list(await urls.page(ID, after=None, limit=1)) == [own]
    assert list(await urls.page(ID, after="", limit=1)) == [live]
    assert list(await urls.page(ID, after="live", limit=9)) == [old]
    assert list(await urls.every()) == [own, live, old]


async def test_a_url_goes_with_its_function_and_not_with_its_alias(urls, stores):
    await urls.insert(url())
    await urls.insert(url("live", "b" * 32))
    await stores.functions.delete_alias(ID, "live")
    assert await urls.get(ID, "live") == url("live", "b" * 32)
    await stores.functions.delete(ID)
    assert await urls.by_id("a" * 32) is None and await urls.by_id("b" * 32) is None
