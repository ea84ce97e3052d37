"""The resource policy of a function: who else may use it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lambent.model.function import FunctionId

POLICY_BYTES_MOST = 20_480


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPolicy:
    """`qualifier` is a version's number, an alias, or "" for the function as a whole; `document` the JSON text."""

    function: FunctionId
    qualifier: str
    document: str

    @property
    def statements(self) -> Sequence[Mapping[str, Any]]:
        statements = msgspec.json.decode(self.document)["Statement"]
        return [statements] if isinstance(statements, dict) else statements

    @property
    def denies(self) -> bool:
        return any(statement["Effect"] == "Deny" for statement in self.statements)
