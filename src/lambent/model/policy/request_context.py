"""The global condition keys of a request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

from lambent.model.caller import Caller
from lambent.model.policy.pattern import Context
from lambent.model.user import is_user_arn

_TELL_SOURCE_OWNER = frozenset({"cloudwatch.amazonaws.com"})
"""Services that a topic's default policy lets in: it wants AWS:SourceOwner to be the topic's account."""


def request_context(
    caller: Caller,
    resource_arn: str,
    now: float,
    *,
    principal_tags: Mapping[str, str] | None = None,
    own: Mapping[str, str] | None = None,
) -> Context:
    """`now` is epoch seconds; `own` are the keys of the service itself (iam:PassedToService)."""
    make = partial(_values, caller, resource_arn, now, principal_tags or {}, own or {})
    return _MadeWhenAsked(make, own.unread if isinstance(own, PartialKeys) else None)


class UnreadKeyError(Exception):
    """A policy asks for one of the condition keys that PartialKeys has not."""


class PartialKeys(dict[str, str]):
    """Condition keys of a service, without those that begin with `unread`: to know them costs a look into a store, and
    few policies ask."""

    def __init__(self, keys: Mapping[str, str], unread: str) -> None:
        super().__init__(keys)
        self.unread = unread.lower()


class _MadeWhenAsked(Mapping[str, tuple[str, ...]]):
    """Most policies have neither conditions nor variables, and every request is evaluated."""

    def __init__(self, make: Callable[[], Context], unread: str | None) -> None:
        self._make = make
        self._made: Context | None = None
        self._unread = unread

    def __getitem__(self, key: str) -> tuple[str, ...]:
        """Raises UnreadKeyError."""
        if self._unread is not None and key.startswith(self._unread):
            raise UnreadKeyError(key)
        return self._whole()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def _whole(self) -> Context:
        if self._made is None:
            self._made = self._make()
        return self._made


def _values(
    caller: Caller, resource_arn: str, now: float, principal_tags: Mapping[str, str], own: Mapping[str, str]
) -> Context:
    context: dict[str, tuple[str, ...]] = {
        "aws:currenttime": (datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(now)),),
        "aws:principalaccount": (caller.account_id,),
        "aws:principalarn": (caller.role_arn or caller.principal_arn,),
        "aws:principalisawsservice": ("false",),
        "aws:principaltype": (_principal_type(caller),),
        "aws:requestedregion": (caller.region,),
        "aws:securetransport": ("true" if caller.endpoint_url.startswith("https:") else "false",),
        "aws:sourceip": (caller.source_ip,),
        "aws:useragent": (caller.user_agent,),
        "aws:userid": (caller.user_id,),
        "aws:viaawsservice": ("false",),
    }
    if is_user_arn(caller.principal_arn):
        context["aws:username"] = (caller.principal_arn.rpartition("/")[2],)
    if caller.session is not None and caller.session.source_identity is not None:
        context["aws:sourceidentity"] = (caller.session.source_identity,)
    if caller.service is not None:
        context |= {
            "aws:principalisawsservice": ("true",),
            "aws:principalservicename": (caller.service,),
            "aws:sourceaccount": (caller.account_id,),
        }
        if caller.source_arn is not None:
            context["aws:sourcearn"] = (caller.source_arn,)
        if caller.service in _TELL_SOURCE_OWNER:
            context["aws:sourceowner"] = (caller.account_id,)
        for key in ("aws:principalaccount", "aws:principalarn", "aws:principaltype", "aws:userid"):
            del context[key]
    if caller.access_key_id.startswith("ASIA"):
        context["aws:multifactorauthpresent"] = ("false",)
    owner = resource_arn.split(":", 5)
    if len(owner) == 6 and owner[4]:
        context["aws:resourceaccount"] = (owner[4],)
    context |= {f"aws:principaltag/{key.lower()}": (value,) for key, value in principal_tags.items()}
    context |= {key.lower(): (value,) for key, value in own.items()}
    return context


def _principal_type(caller: Caller) -> str:
    if caller.role_arn is not None:
        return "AssumedRole"
    return "User" if is_user_arn(caller.principal_arn) else "Account"
