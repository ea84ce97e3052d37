"""The Range header: one range of bytes. What is not one is ignored, as S3 does."""

import re
from dataclasses import dataclass

from lambent.services.s3.errors import InvalidRange

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """`first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    def content_range(self, size: int) -> str:
        return f"bytes {self.first}-{self.last}/{size}"


def read_range(header: str | None, size: int) -> ByteRange | None:
    """None: everything. Raises InvalidRange."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or header is None:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        suffix = min(int(last), size)
        if not suffix:
            raise InvalidRange(RangeRequested=header, ActualObjectSize=size)
        return ByteRange(size - suffix, size - 1)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise InvalidRange(RangeRequested=header, ActualObjectSize=size)
    return ByteRange(int(first), min(int(last), size - 1) if last else size - 1)
