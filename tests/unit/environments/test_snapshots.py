import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from lambent.environments import snapshots as module
from lambent.environments.snapshots import SnapshotError, Snapshots, Template
from lambent.model.lambda_errors import SnapStartException, SnapStartTimeoutException
from lambent.sandbox.port import Exit


class Factory:
    """Templates and copies of paper."""

    def __init__(self) -> None:
        self.made: list[Template] = []
        self.ended: list[Template] = []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.snapshots = Snapshots()

    async def make(self, version: Any) -> Template:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error

        async def end() -> None:
            self.ended.append(template)

        template = Template(blank=blank(), end=end)
        self.made.append(template)
        return template

    async def restore(self, version: Any) -> Any:
        return await self.snapshots.restore(version, self.make)


def blank() -> Any:
    exited = asyncio.get_running_loop().create_future()
    return SimpleNamespace(sandbox=SimpleNamespace(id=f"sandbox {id(exited)}", exited=exited))


@pytest.fixture
async def factory(monkeypatch: pytest.MonkeyPatch) -> Factory:
    async def copy_of(template: Any) -> Any:
        return blank()

    monkeypatch.setattr(module, "copy_of", copy_of)
    return Factory()


@pytest.fixture
def published(version: Any) -> Any:
    return version(version="1", snap_start=True, last_modified=5.0)


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_copies_are_of_one_template_which_is_made_once(factory: Factory, published: Any) -> None:
    factory.gate = asyncio.Event()
    both = asyncio.gather(factory.restore(published), factory.restore(published))
    await turn()
    factory.gate.set()
    first, second = await both
    assert first is not second
    assert len(factory.made) == 1


async def test_a_template_that_has_died_is_made_again_and_ends_with_its_last_copy(
    factory: Factory, published: Any
) -> None:
    copy = await factory.restore(published)
    factory.made[0].blank.sandbox.exited.set_result(Exit(code=0))
    other = await factory.restore(published)
    await turn()
    assert len(factory.made) == 2
    assert factory.ended == []
    copy.sandbox.exited.set_result(Exit(code=0))
    await turn()
    assert factory.ended == [factory.made[0]]
    other.sandbox.exited.set_result(Exit(code=0))
    await turn()
    assert factory.ended == [factory.made[0]]  # the new one goes on


async def test_a_deleted_version_has_no_template_any_more(factory: Factory, published: Any) -> None:
    await factory.snapshots.take(published, factory.make)
    assert factory.snapshots.has(published.function)

    async def still_there(function: Any, number: str) -> Any:
        return published

    async def gone(function: Any, number: str) -> Any:
        return None

    await factory.snapshots.review(published.function, still_there)
    await turn()
    assert factory.ended == []
    await factory.snapshots.review(published.function, gone)
    await turn()
    assert factory.ended == factory.made
    assert not factory.snapshots.has(published.function)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("FunctionError.InitTimeout", SnapStartTimeoutException),
        ("FunctionError.RuntimeInitError", SnapStartException),
    ],
)
async def test_one_that_cannot_be_made_is_told_and_tried_again(
    factory: Factory, published: Any, code: str, told: type[Exception]
) -> None:
    factory.error = SnapshotError(code, "no")
    with pytest.raises(told, match=r"^no$"):
        await factory.restore(published)
    factory.error = None
    await factory.restore(published)


async def test_who_leaves_breaks_nothing_off(factory: Factory, published: Any) -> None:
    factory.gate = asyncio.Event()
    restoring = asyncio.create_task(factory.restore(published))
    await turn()
    restoring.cancel()
    await asyncio.wait([restoring])
    factory.gate.set()
    await factory.restore(published)
    assert len(factory.made) == 1
