"""Runtime hooks for SnapStart, under the names of AWS's module for them, which its runtimes have, too.

Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Hook = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

_before_snapshot: "list[Hook]" = []
_after_restore: "list[Hook]" = []


def register_before_snapshot(
    func: "Callable[..., Any]", *args: "Any", **kwargs: "Any"
) -> "Callable[..., Any]":
    """Has `func` called before the snapshot is taken; the last registered is called first. Also a decorator."""
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func: "Callable[..., Any]", *args: "Any", **kwargs: "Any") -> "Callable[..., Any]":
    """Has `func` called after each restore, in the order of registration. Also a decorator."""
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot() -> "list[Hook]":
    return _before_snapshot


def get_after_restore() -> "list[Hook]":
    return _after_restore
