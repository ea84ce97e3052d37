"""A process that is copied instead of being executed for each environment: see docs/internals/cold-start.md.

Needs Python 3.10.
"""

import logging as python_logging
import os
import sys
import threading as python_threading
import time
from types import ModuleType

from .marshal import from_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import sdk

logging: "Any" = python_logging  # more of it than it shows
threading: "Any" = python_threading

_CODE = "/tmp"  # noqa: S108 - where the sandbox's package is shown
_PACKAGE = "lambent"
_OWN = frozenset(("lambent_runtime.zygote", "lambent_runtime.sdk"))


def be_copied(line: int, *, with_sdk: bool) -> "sdk.Preloaded | None":
    """Returns in copies, each of them in a sandbox of its own and as if it had just been executed there, but for the
    SDK where that was wanted."""
    preloaded = None
    if with_sdk:
        from . import sdk  # noqa: PLC0415

        preloaded = sdk.preload()
    modules, importers = set(sys.modules) - _OWN, set(sys.path_importer_cache)
    serve, private_bytes = _sandbox()
    own_bytes = private_bytes()
    # Said once, here, for each copy to do: to look through all of them again would cost a copy much of its time.
    new_modules = sys.modules.keys() - modules
    new_importers = sys.path_importer_cache.keys() - importers
    serve(line, own_bytes)
    _forget(sys.modules, new_modules)
    _forget(sys.path_importer_cache, new_importers)
    _renew()
    _rehearse()
    return preloaded


def _sandbox() -> "tuple[Any, Any]":
    """The part that makes sandboxes, which is of another program. It is imported as if that were installed here."""
    package, sandbox = ModuleType(_PACKAGE), ModuleType(_PACKAGE + ".sandbox")
    package.__path__, sandbox.__path__ = [], [_CODE]
    sys.modules.update({package.__name__: package, sandbox.__name__: sandbox})
    from lambent.sandbox.zygote import be_copied, private_bytes  # noqa: PLC0415

    return be_copied, private_bytes


def _forget(known: "dict[str, Any]", names: "set[str]") -> None:
    """What an executed process would not know: a function may have modules of the same names."""
    for name in names:
        del known[name]


def _renew() -> None:
    """What Python would at a fork, of which it has not heard, as far as it shows: the thread's number, as the kernel
    counts, and the state of `random`. And the time that log records are relative to."""
    main = threading.main_thread()
    if hasattr(main, "_set_native_id"):
        main._set_native_id()
    random = sys.modules.get("random")
    if random is not None:
        random.seed()
    if hasattr(logging, "_startTime"):
        nanoseconds = isinstance(logging._startTime, int)  # since 3.13
        logging._startTime = time.time_ns() if nanoseconds else time.time()


def _rehearse() -> None:
    """What a process does for the first time after it was forked is slow, for its memory is copied as it is touched:
    so some of what INIT will do is done now, when nobody waits for it."""
    from_json(b'{"variables": {"NAME": "value"}, "handler": "module.name", "numbers": [0, 1.5, true, null]}')
    for name in list(os.environ):
        os.environ[name] = os.environ[name]
    os.chdir(os.getcwd())  # noqa: PTH109 - pathlib is slow to import
