"""The opaque tokens of the API: of checkpoints and of callbacks. Base64 of JSON, which their patterns allow."""

import base64
import binascii
from dataclasses import dataclass

import msgspec

_encode = msgspec.json.Encoder().encode
_decode_checkpoint = msgspec.json.Decoder(tuple[str, str, int]).decode
_decode_callback = msgspec.json.Decoder(tuple[str, str, str]).decode


@dataclass(frozen=True, slots=True)
class CheckpointToken:
    execution_id: str
    invocation_id: str
    sequence: int

    def __str__(self) -> str:
        return _base64((self.execution_id, self.invocation_id, self.sequence))

    @classmethod
    def parse(cls, text: str) -> "CheckpointToken | None":
        try:
            return cls(*_decode_checkpoint(base64.b64decode(text, validate=True)))
        except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
            return None


@dataclass(frozen=True, slots=True)
class CallbackId:
    """`secret` makes it impossible to guess."""

    execution_arn: str
    operation_id: str
    secret: str

    def __str__(self) -> str:
        return _base64((self.execution_arn, self.operation_id, self.secret))

    @classmethod
    def parse(cls, text: str) -> "CallbackId | None":
        try:
            return cls(*_decode_callback(base64.b64decode(text, validate=True)))
        except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
            return None


def _base64(parts: tuple[str | int, ...]) -> str:
    return base64.b64encode(_encode(parts)).decode("ascii")
