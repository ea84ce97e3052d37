"""Makes this process the function's: its variables, its directory, its module path."""

import builtins
import os
import sys
import time
from _sitebuiltins import Quitter, _Helper

_VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_PATH_AT_START = tuple(sys.path)
"""Our own directory and the standard library."""


def become_function(variables: "dict[str, str] | None", runtime_directory: str) -> None:
    """`variables` is None for a process that was executed with them, and perhaps with more by a wrapper script."""
    environment = os.environ
    if variables is not None:
        _replace_variables(environment, variables)
    environment.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    time.tzset()
    task_root = environment.get("LAMBDA_TASK_ROOT", "/var/task")
    # Also where we are there by name already: the code was mounted over the directory that we are in.
    os.chdir(task_root)
    sys.path[:] = _module_path(task_root, runtime_directory, environment.get("PYTHONPATH", ""))
    random = sys.modules.get("random")
    if random is not None:
        random.seed()


def _replace_variables(environment: "os._Environ[str]", variables: "dict[str, str]") -> None:
    for name in [name for name in environment if name not in variables]:
        del environment[name]
    for name, value in variables.items():
        if environment.get(name) != value:
            environment[name] = value


def _module_path(task_root: str, runtime_directory: str, python_path: str) -> "list[str]":
    """Lambda's order. The site-packages of the host's interpreter are not in it: a function must not come to depend
    on what happens to be installed there."""
    path = [
        task_root,
        f"/opt/python/lib/{_VERSION}/site-packages",
        "/opt/python",
        *[entry for entry in python_path.split(os.pathsep) if entry],
        runtime_directory,
        *_PATH_AT_START,
    ]
    return list(dict.fromkeys(path))


def add_site_builtins() -> None:
    """We start without the site module, which costs milliseconds; handlers still call exit()."""
    for name in ("exit", "quit"):
        setattr(builtins, name, Quitter(name, "Ctrl-D (i.e. EOF)"))
    builtins.help = _Helper()
