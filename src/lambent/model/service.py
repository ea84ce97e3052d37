"""What a service is to the rest: a name, its operations, and the resource that each of them acts on."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from lambent.model.caller import Caller, Parameters
from lambent.model.resource_policy import ResourcePolicy

Operation = Callable[[Caller, Parameters], Awaitable[Parameters]]
"""One operation: members of its input shape in, members of its output shape out.

Input has passed the model's constraints. Blobs are bytes, timestamps aware datetimes (epoch seconds are accepted on
the way out), streaming blobs bytes or an async iterator of bytes, event streams an async iterator of one-member
dicts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`name` is botocore's ("lambda", "logs"); `operations` is by AWS's operation name. An operation that the model has
    and this mapping lacks is answered as not offered, by name."""

    name: str
    operations: Mapping[str, Operation]
    resource_arn: Callable[[str, Caller, Parameters], str | tuple[str, ...]]
    """The ARN an operation acts on, for authorization; "*" where AWS defines none. Several, where it acts on several:
    the caller needs the permission for each. One resource has one form of its ARN, however the request writes it."""
    resource_policy: Callable[[str], Awaitable[ResourcePolicy | None]] | None = None
    """By such an ARN, who owns the resource and the policy attached to it; None where there is no such resource."""
    open_to_root: Callable[[str, Caller, Parameters], bool] | None = None
    """Whether, as far as can be told without reading a policy, the resource is of the caller's own account and no
    policy denies anything, so that its root need not be looked at any further. For operations that are called often."""
    condition_keys: Callable[[str, Caller, Parameters], Mapping[str, str]] | None = None
    """Condition keys of the service's own for this request, such as s3:prefix or lambda:FunctionUrlAuthType."""
    late_keys: "LateKeys | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateKeys:
    """Condition keys that are read where a policy asks for one that begins with `prefix`, and not for every request."""

    prefix: str
    read: Callable[[str, Parameters], Awaitable[Mapping[str, str]]]


class Client(Protocol):
    """Services call each other through the public API, in-process: the same operations, checks and errors."""

    async def __call__(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters: ...

    def offers(self, service: str, operation: str) -> bool:
        """By botocore's name of the service."""
        ...
