"""How often a function was invoked in one chain of requests, as the chain's tracing header tells.

    Root=1-…;Parent=…;Sampled=0;Lineage=a87bd80c:2|68fd508a:1

A function's SDK passes the header of its invocation on, SQS, SNS and S3 keep it with what they carry, and so a loop
comes back with it. Each invocation adds its function, or counts one more.
Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from zlib import crc32

from lambent.model.function import FunctionId

INVOCATIONS_MOST = 16
_FIELD = ";Lineage="
_ENTRIES_MOST = 32


def mark_of(function: FunctionId) -> str:
    """What stands for a function in the header: eight hexadecimal digits."""
    return f"{crc32(function.arn().encode()):08x}"


def begun(header: str, mark: str) -> str:
    """The header of a chain that begins with this function."""
    return f"{header}{_FIELD}{mark}:1"


def counted(header: str, mark: str) -> tuple[str, int]:
    """The header that came with an invocation of this function, counted; and the count."""
    before, found, lineage = header.partition(_FIELD)
    if not found:
        return begun(header, mark), 1
    lineage, _, after = lineage.partition(";")
    counts = dict(entry.rpartition(":")[::2] for entry in lineage.split("|"))
    earlier = counts.pop(mark, "0")
    count = (int(earlier) if earlier.isascii() and earlier.isdigit() and len(earlier) < 10 else 0) + 1
    entries = [f"{mark}:{count}", *(f"{other}:{number}" for other, number in counts.items())]
    rest = f";{after}" if after else ""
    return f"{before}{_FIELD}{'|'.join(entries[:_ENTRIES_MOST])}{rest}", count
