from types import SimpleNamespace
from typing import Any

import pytest

from lambent.model.function import FunctionId
from lambent.services.lambda_.function_urls.access import Access

URL = SimpleNamespace(
    function=FunctionId("123456789012", "us-east-1", "hello"), qualifier=None, auth_type="NONE"
)


class Asked:
    """An authorizer that lets everybody, and a function without a policy."""

    def __init__(self) -> None:
        self.actions: list[str] = []

    async def authorize(self, caller: Any, action: str, *_: Any) -> None:
        self.actions.append(action)

    async def get(self, *_: Any) -> None:
        return None


@pytest.mark.parametrize(
    ("url_alone", "actions"),
    [(False, ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]), (True, ["lambda:InvokeFunctionUrl"])],
)
async def test_what_a_caller_must_be_allowed(url_alone: bool, actions: list[str], root: Any) -> None:
    asked = Asked()
    access = Access(asked, asked, url_alone=url_alone)  # type: ignore[arg-type]
    await access.require(URL, root)  # type: ignore[arg-type]
    assert asked.actions == actions
