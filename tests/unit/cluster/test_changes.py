import pytest

from lambent.cluster.changes import Changes
from lambent.store.ports.changes import NotedChange
from lambent.store.ports.errors import StoreError


class MemoryChanges:
    """`rows` is what is committed, in whatever order."""

    def __init__(self) -> None:
        self.rows: dict[int, NotedChange] = {}

    def note(self, number, key="k", kind="function", age=0.0):
        self.rows[number] = NotedChange(number=number, kind=kind, key=key, age_seconds=age)

    def all_become(self, age):
        for row in list(self.rows.values()):
            self.note(row.number, row.key, row.kind, age)

    async def since(self, number):
        return [self.rows[each] for each in sorted(self.rows) if each > number]

    async def bounds(self):
        return (min(self.rows), max(self.rows)) if self.rows else (0, 0)


class Heard:
    def __init__(self, store) -> None:
        self.keys: list[str] = []
        self.everything = 0
        self.fails = False
        self.changes = Changes(store, {"function": self._function}, self._all, lambda: 1.0)

    async def _function(self, key):
        if self.fails:
            raise StoreError("away")
        self.keys.append(key)

    async def _all(self):
        self.everything += 1


@pytest.fixture
def store():
    return MemoryChanges()


async def test_each_change_is_heard_of_once(store):
    heard = Heard(store)
    store.note(1, "before", age=60.0)
    await heard.changes.open()
    store.note(2, "a")
    store.note(3, "b")
    store.note(4, "x", kind="nothing to us")
    assert await heard.changes.look()
    assert not await heard.changes.look()
    assert heard.keys == ["a", "b"]


async def test_one_that_is_committed_late_is_not_missed(store):
    heard = Heard(store)
    store.note(1, "before", age=60.0)
    await heard.changes.open()
    store.note(3, "second")
    store.note(4, "third")
    await heard.changes.look()
    store.note(2, "first")
    await heard.changes.look()
    assert heard.keys == ["second", "third", "first"]


async def test_what_is_old_is_not_read_again(store):
    heard = Heard(store)
    await heard.changes.open()
    store.note(1, "a")
    await heard.changes.look()
    store.all_become(11.0)
    await heard.changes.look()
    store.note(1, "read again")
    store.note(2, "b")
    await heard.changes.look()
    assert heard.keys == ["a", "b"] and heard.everything == 0


async def test_a_change_that_could_not_be_dealt_with_comes_again(store):
    heard = Heard(store)
    await heard.changes.open()
    store.note(1, "a")
    heard.fails = True
    with pytest.raises(StoreError):
        await heard.changes.look()
    heard.fails = False
    await heard.changes.look()
    assert heard.keys == ["a"]


async def test_who_was_away_while_changes_were_forgotten_reads_everything(store):
    heard = Heard(store)
    store.note(1, age=60.0)
    await heard.changes.open()
    store.rows.clear()
    store.note(90)
    assert await heard.changes.look()
    assert heard.everything == 1 and heard.keys == []
    store.note(89, "committed late")
    await heard.changes.look()
    assert heard.keys == ["committed late"]
    store.note(91, "next")
    await heard.changes.look()
    assert heard.everything == 1 and heard.keys[1:] == ["next"]
