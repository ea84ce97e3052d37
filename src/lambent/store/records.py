"""Values of the model as JSON documents, the same for every engine.

A document outlives the Lambent that wrote it: fields that this version does not know are ignored, fields that
it has and the document lacks take their defaults. A new field of a stored value therefore needs a default, or
a migration.
"""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Record(Generic[T]):
    """Encodes and decodes one dataclass of the model."""

    def __init__(self, kind: type[T]) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(kind)

    def encode(self, value: T) -> str:
        return self._encoder.encode(value).decode()

    def decode(self, document: str) -> T:
        """Raises msgspec.ValidationError where the document is not of this kind: the database was changed by
        hand."""
        return self._decoder.decode(document)
