"""The environment variables that belong to a runtime rather than to a function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
"""

import re
from collections.abc import Mapping
from typing import Final

TASK_ROOT: Final = "/var/task"
RUNTIME_DIR: Final = "/var/runtime"
LANG_DIR: Final = "/var/lang"
TELEMETRY_DESCRIPTOR: Final = 4

_LIBRARY_PATH = "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"

LIBRARY_DIRECTORIES: Final = ("/var/task/lib", "/opt/lib")
"""Of LD_LIBRARY_PATH, those that only the function's code and layers have. The dynamic loader looks once, at exec,
which of its directories exist, and never asks again for the others: a blank must have them before code is mounted."""

_COMMON = {
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "LAMBDA_TASK_ROOT": TASK_ROOT,
    "LAMBDA_RUNTIME_DIR": RUNTIME_DIR,
    "_LAMBDA_TELEMETRY_LOG_FD": str(TELEMETRY_DESCRIPTOR),
}

_LEFT_BY_A_SHELL = {"PWD": TASK_ROOT, "SHLVL": "0"}
"""What functions see of AWS's bootstraps that are shell scripts."""

_EXEC_TIME_COMMON = frozenset(
    {
        "AWS_LAMBDA_EXEC_WRAPPER",
        "GCONV_PATH",
        "GLIBC_TUNABLES",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "LD_AUDIT",
        "LD_BIND_NOW",
        "LD_DEBUG",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "LOCPATH",
        "MALLOC_ARENA_MAX",
        "MALLOC_MMAP_THRESHOLD_",
        "MALLOC_PERTURB_",
        "MALLOC_TRIM_THRESHOLD_",
    }
)

EXEC_TIME_PYTHON: Final = _EXEC_TIME_COMMON | {
    f"PYTHON{name}"
    for name in (
        *("COERCECLOCALE", "DEBUG", "DEVMODE", "DONTWRITEBYTECODE", "FAULTHANDLER", "HASHSEED", "HOME"),
        *("INSPECT", "INTMAXSTRDIGITS", "IOENCODING", "ISOLATED", "LEGACYWINDOWSSTDIO", "MALLOC"),
        *("MALLOCSTATS", "NODEBUGRANGES", "NOUSERSITE", "OPTIMIZE", "PERFSUPPORT", "PLATLIBDIR"),
        *("PROFILEIMPORTTIME", "PYCACHEPREFIX", "SAFEPATH", "TRACEMALLOC", "UNBUFFERED", "USERBASE", "UTF8"),
        *(
            "VERBOSE",
            "WARNDEFAULTENCODING",
            "WARNINGS",
            "_BASIC_REPL",
            "_COLORS",
            "_CPU_COUNT",
            "_GIL",
            "_JIT",
        ),
    )
}
"""Not PYTHONPATH, which the bootstrap honours at INIT, nor those that modules read when they are imported."""

EXEC_TIME_NODEJS: Final = _EXEC_TIME_COMMON | {
    *("NODE_COMPILE_CACHE", "NODE_DEBUG", "NODE_DEBUG_NATIVE", "NODE_DISABLE_COMPILE_CACHE"),
    *("NODE_EXTRA_CA_CERTS", "NODE_ICU_DATA", "NODE_NO_WARNINGS", "NODE_OPTIONS", "NODE_PATH"),
    *("NODE_PENDING_DEPRECATION", "NODE_PRESERVE_SYMLINKS", "NODE_REDIRECT_WARNINGS", "NODE_USE_ENV_PROXY"),
    *("NODE_USE_SYSTEM_CA", "NODE_V8_COVERAGE", "OPENSSL_CONF", "OPENSSL_MODULES", "SSL_CERT_DIR"),
    *("SSL_CERT_FILE", "UV_THREADPOOL_SIZE", "UV_USE_IO_URING"),
}


EXEC_TIME_RUBY: Final = _EXEC_TIME_COMMON | {
    *("RUBYLIB", "RUBYOPT", "RUBYPATH", "RUBYSHELL", "RUBYGEMS_GEMDEPS", "RUBY_DEBUG", "RUBY_YJIT_ENABLE"),
    *("RUBY_TCP_NO_FAST_FALLBACK", "RUBY_MN_THREADS", "RUBY_MAX_CPU", "RUBY_THREAD_TIMESLICE"),
    *(f"RUBY_THREAD_{name}_STACK_SIZE" for name in ("VM", "MACHINE")),
    *(f"RUBY_FIBER_{name}_STACK_SIZE" for name in ("VM", "MACHINE")),
    *(
        f"RUBY_GC_{name}"
        for name in (
            *("HEAP_INIT_SLOTS", "HEAP_FREE_SLOTS", "HEAP_GROWTH_FACTOR", "HEAP_GROWTH_MAX_SLOTS"),
            *("HEAP_FREE_SLOTS_MIN_RATIO", "HEAP_FREE_SLOTS_GOAL_RATIO", "HEAP_FREE_SLOTS_MAX_RATIO"),
            *("HEAP_OLDOBJECT_LIMIT_FACTOR", "MALLOC_LIMIT", "MALLOC_LIMIT_MAX"),
            *("MALLOC_LIMIT_GROWTH_FACTOR", "OLDMALLOC_LIMIT", "OLDMALLOC_LIMIT_MAX"),
            "OLDMALLOC_LIMIT_GROWTH_FACTOR",
        )
    ),
}
"""Not those of RubyGems, which looks at them again at INIT."""


EXEC_TIME_JAVA: Final = _EXEC_TIME_COMMON | {
    *("CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "TZ")
}


def managed_variables(identifier: str) -> dict[str, str]:
    """Of runtimes that come with an interpreter, which is below /var/lang."""
    return {
        **_COMMON,
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": f"/var/lang/lib:{_LIBRARY_PATH}",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{identifier}",
    }


def documented_variables(identifier: str) -> dict[str, str]:
    """Those that AWS documents for a runtime, in a root that is like AWS's."""
    if re.fullmatch(r"python3\.\d+", identifier) is not None:
        return {**managed_variables(identifier), "PYTHONPATH": RUNTIME_DIR}
    if (nodejs := re.fullmatch(r"nodejs(\d+)\.x", identifier)) is not None:
        return nodejs_variables(identifier, int(nodejs[1]))
    if (ruby := re.fullmatch(r"ruby(\d+)\.(\d+)", identifier)) is not None:
        return ruby_variables(identifier, int(ruby[1]), int(ruby[2]))
    return custom_variables() if identifier.startswith("provided") else managed_variables(identifier)


_FIRST_WITHOUT_LOCALE = 12
"""The first minor version of Python whose image at AWS, Amazon Linux 2023, lacks the locale that LANG names."""


def python_variables(identifier: str, minor: int) -> dict[str, str]:
    variables = {**managed_variables(identifier), **_LEFT_BY_A_SHELL, "PYTHONPATH": RUNTIME_DIR}
    if minor == 6 or minor >= _FIRST_WITHOUT_LOCALE:
        # Where en_US.UTF-8 is not installed, later versions fall back to UTF-8 by themselves, and 3.6 to ASCII. They
        # tell their children so, and functions see it.
        variables["LC_CTYPE"] = "C.UTF-8"
    return variables


def java_variables(identifier: str) -> dict[str, str]:
    """With the encoding of file names and variables where en_US.UTF-8 is not installed: Java knows no other way."""
    return {**managed_variables(identifier), "LC_ALL": "C.UTF-8"}


def nodejs_variables(identifier: str, major: int) -> dict[str, str]:
    modules = (
        f"/opt/nodejs/node{major}/node_modules",
        "/opt/nodejs/node_modules",
        "/var/runtime/node_modules",
    )
    own = ("/var/runtime", "/var/task")
    return {
        **managed_variables(identifier),
        **_LEFT_BY_A_SHELL,
        "NODE_PATH": ":".join((*modules, *own)),
    }


def ruby_variables(identifier: str, major: int, minor: int) -> dict[str, str]:
    abi = f"{major}.{minor}.0"
    gems = (f"/var/task/vendor/bundle/ruby/{abi}", f"/opt/ruby/gems/{abi}", f"/var/runtime/gems/{abi}")
    libraries = ("/var/runtime/lib", "/var/task", "/opt/ruby/lib")
    return {
        **managed_variables(identifier),
        **_LEFT_BY_A_SHELL,
        "GEM_HOME": "/var/runtime",
        "GEM_PATH": ":".join(gems),
        "RUBYLIB": ":".join(libraries),
    }


def custom_variables() -> dict[str, str]:
    """Of the runtimes that consist of an operating system only."""
    return {**_COMMON, "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin", "LD_LIBRARY_PATH": _LIBRARY_PATH}


def image_variables(own: Mapping[str, str]) -> dict[str, str]:
    """Of container images: what the image sets itself counts."""
    return {**_COMMON, "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin", **own}
