import pytest

from lambent.model.error import ServiceException
from lambent.model.service import Service
from lambent.server.second_look import with_second_look


class NoSuchThing(ServiceException):
    status = 404


class Things:
    def __init__(self):
        self.known, self.stored, self.tries, self.looks = set(), set(), 0, 0

    async def look(self):
        self.looks += 1
        new = self.known != self.stored
        self.known = set(self.stored)
        return new

    async def get(self, caller, parameters):
        self.tries += 1
        if parameters["Name"] not in self.known:
            raise NoSuchThing("no such thing")
        return {"Found": True}


@pytest.fixture
def made():
    things = Things()
    service = Service(name="things", operations={"Get": things.get}, resource_arn=lambda *_: "*")
    return things, with_second_look(service, things.look).operations["Get"]


async def test_what_another_node_has_just_written_is_found(made):
    things, get = made
    things.stored.add("a")
    assert await get(None, {"Name": "a"}) == {"Found": True}
    assert (things.tries, things.looks) == (2, 1)
    await get(None, {"Name": "a"})
    assert (things.tries, things.looks) == (3, 1), "what is known costs no look"


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
