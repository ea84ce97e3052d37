"""Paging in SNS's way: a hundred at a time, and a token for the rest."""

from collections.abc import Sequence

from lambent.base.page_tokens import read_token, write_token
from lambent.model.caller import Parameters
from lambent.services.sns.errors import invalid

_PAGE = 100


def page(arns: Sequence[str], parameters: Parameters) -> tuple[Sequence[str], Parameters]:
    """The next of these, which are in order, and the answer's NextToken. Raises InvalidParameter."""
    after = _position(parameters.get("NextToken"))
    left = [arn for arn in arns if arn > after]
    taken = left[:_PAGE]
    if len(taken) == len(left):
        return taken, {}
    return taken, {"NextToken": write_token(taken[-1])}


def _position(token: str | None) -> str:
    if not token:
        return ""
    try:
        return read_token(token)
    except ValueError:
        raise invalid("NextToken Reason: Invalid NextToken") from None
