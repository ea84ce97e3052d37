import pytest

from lambent.model.error import ServiceException
from lambent.model.service import Service
from lambent.server.second_look import with_second_look


class NoSuchThing(ServiceException):
    status = 404


class Things:
    def __init__(self):
        self.known, self.stored, self.tries, self.looks, self.seen = set(), set(), 0, 0, 0
        self.hears_meanwhile = False

    def hear(self):
        self.seen += self.known != self.stored
        self.known = set(self.stored)

    async def look(self, since):
        self.looks += 1
        self.hear()
        return self.seen != since

    async def get(self, caller, parameters):
        self.tries += 1
        known = parameters["Name"] in self.known
        if self.hears_meanwhile:
            self.hear()
        if not known:
            raise NoSuchThing("no such thing")
        return {"Found": True}


@pytest.fixture
def made():
    things = Things()
    service = Service(name="things", operations={"Get": things.get}, resource_arn=lambda *_: "*")
    return things, with_second_look(service, things).operations["Get"]


async def test_what_another_node_has_just_written_is_found(made):
    things, get = made
    things.stored.add("a")
    assert await get(None, {"Name": "a"}) == {"Found": True}
    assert (things.tries, things.looks) == (2, 1)
    await get(None, {"Name": "a"})
    assert (things.tries, things.looks) == (3, 1), "what is known costs no look"


async def test_what_this_node_heard_while_it_refused_is_tried_again(made):
    things, get = made
    things.stored.add("a")
    things.hears_meanwhile = True
    assert await get(None, {"Name": "a"}) == {"Found": True}
    assert (things.tries, things.looks) == (2, 1)


async def test_what_is_nowhere_is_refused_once(made):
    things, get = made
    with pytest.raises(NoSuchThing):
        await get(None, {"Name": "a"})
    assert (things.tries, things.looks) == (1, 1)


async def test_it_is_not_tried_for_ever(made):
    things, get = made
    things.stored.add("b")
    with pytest.raises(NoSuchThing):
        await get(None, {"Name": "a"})
    assert things.tries == 2
