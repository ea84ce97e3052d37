"""The AWS SDK, imported before a function asks for it, in a process that is copied for functions that will: see
docs/internals/cold-start.md. It is the SDK of /var/runtime; a function that brings its own has that.

Needs Python 3.10.
"""

import functools
import importlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SERVICES = ("dynamodb", "s3", "sqs")
"""Whose models are read, too. Each holds about a megabyte in every copy's account of its memory."""
_HOME = "/home/sbx_user1051"
"""Of the user whom copies will be."""


class Preloaded:
    """`modules` are those that an executed process would not have imported yet. `names` are the top-level names that,
    if a function brought one, would have been imported in their place, or beside them."""

    def __init__(self, modules: "set[str]", names: "set[str]") -> None:
        self._modules = modules
        self._names = names

    def give_way(self, runtime_directory: str) -> None:
        """Forgets everything where the module path would have found something else. Before any of the function's code
        runs."""
        before_ours = sys.path[: sys.path.index(runtime_directory)]
        if "HOME" in os.environ or any(map(self._is_replaced_in, before_ours)):
            for name in self._modules:
                sys.modules.pop(name, None)

    def _is_replaced_in(self, place: str) -> bool:
        try:
            found = os.listdir(place)  # noqa: PTH208 - names are all we want
        except NotADirectoryError:
            return True  # an archive: whatever is in it
        except OSError:
            return False
        return not self._names.isdisjoint(name.partition(".")[0] for name in found)


class _Missed:
    """The last finder of modules: notes what none has found."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> None:
        self.names.add(name.partition(".")[0])


def preload() -> "Preloaded | None":
    """None where there is no SDK for this Python."""
    known, missed = set(sys.modules), _Missed()
    sys.meta_path.append(missed)
    os.environ["HOME"] = _HOME
    try:
        _keep_models(importlib.import_module("boto3"))
    except ImportError:
        return None
    finally:
        del os.environ["HOME"]
        sys.meta_path.remove(missed)
    modules = set(sys.modules) - known
    return Preloaded(modules, {name.partition(".")[0] for name in modules} | missed.names)


def _keep_models(boto3: "Any") -> None:
    """Builds clients, which imports the rest of the SDK, and has loaders of sessions to come begin with what the loader
    of these clients has read. Nothing else of session and clients stays."""
    session = boto3.Session(
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 - not that there would be one
        region_name="us-east-1",
    )
    for service in _SERVICES:
        session.client(service)
    read = dict(session._session.get_component("data_loader")._cache)
    sessions: Any = importlib.import_module("botocore.session")
    create_loader = sessions.create_loader

    @functools.wraps(create_loader)
    def create_loader_that_has_read(search_path_string: "str | None" = None) -> "Any":
        loader = create_loader(search_path_string)
        if search_path_string is None:
            loader._cache.update(read)
        return loader

    sessions.create_loader = create_loader_that_has_read
