from dataclasses import dataclass, field

import msgspec
import pytest

from lambent.store.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    name: str
    number: float
    gone: str = "from the future"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    name: str
    number: float
    added: dict[str, str] = field(default_factory=dict)


def test_fields_of_another_version_are_ignored_or_take_their_defaults():
    document = Record(Written).encode(Written(name="n", number=0.1 + 0.2))
    assert Record(Read).decode(document) == Read(name="n", number=0.1 + 0.2)


def test_what_is_missing_without_a_default_is_an_error():
    with pytest.raises(msgspec.ValidationError):
        Record(Read).decode('{"name": "n"}')
