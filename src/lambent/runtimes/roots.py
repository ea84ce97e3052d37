"""The read-only root of each runtime: a small userland from the host's /usr, and the runtime.

Nothing of the host's /etc, /home, /root, /usr/local or /var is in it. What /etc has is written here, but for the
certificates and what the dynamic loader and Debian's alternatives need.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lambent.runtimes.interpreters import Interpreter
from lambent.runtimes.java_client import configuration_binds
from lambent.runtimes.libraries import shared_libraries, telling_modules
from lambent.runtimes.variables import LANG_DIR, LIBRARY_DIRECTORIES, RUNTIME_DIR
from lambent.sandbox.port import Bind, Root

_USERLAND = (
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/share/ca-certificates",
    "/usr/share/misc",
    "/usr/share/terminfo",
    "/usr/share/zoneinfo",
)
_TOP_LEVEL = ("/bin", "/lib", "/lib32", "/lib64", "/sbin")
_FROM_ETC = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
_DEBIAN_GEMS = (Path("/usr/share/rubygems-integration"), Path("/usr/share/ruby-vendor"))
"""Where Debian has the gems that come with Ruby."""
_PRIVATE = {"dev", "opt", "proc", "tmp"}
"""Top-level directories that show nothing of the root: the sandbox's own, and where layers are mounted."""
_DEBIAN_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_AMAZON_BUNDLE = "/etc/pki/tls/certs/ca-bundle.crt"

_FILES: Final = {
    # What asks for its home directory (the AWS SDK for JavaScript does) looks for its own uid here.
    "/etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:{uid}:990::/home/sbx_user1051:/sbin/nologin\n",
    "/etc/group": "root:x:0:\nsbx_user1051:x:990:\n",
    "/etc/hosts": "127.0.0.1 localhost sandbox.localdomain sandbox\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    "/etc/hostname": "localhost\n",
    "/etc/resolv.conf": "options timeout:1 attempts:1\n",
}


def custom_root() -> Root:
    """For runtimes that bring their interpreter along."""
    return _root((), {}, (RUNTIME_DIR,))


def python_root(interpreter: Interpreter, runtime: Sequence[Bind]) -> Root:
    """Interpreter and standard library are shown below /var/lang and, wherever they are on the host, nowhere else: as
    on AWS, stack traces and sys.prefix say /var/lang."""
    library = interpreter.standard_library
    assert library is not None
    lang = [
        Bind(interpreter.path, path_inside(interpreter)),
        Bind(library, f"{LANG_DIR}/{library.relative_to(interpreter.prefix)}"),
    ]
    libraries = _library_binds([interpreter.path, *telling_modules(library)])
    links = {f"{LANG_DIR}/bin/{name}": interpreter.path.name for name in ("python", "python3")}
    return _root([*lang, *libraries, *runtime], links)


def nodejs_root(interpreter: Interpreter, runtime: Sequence[Bind]) -> Root:
    lang = Bind(interpreter.path, path_inside(interpreter))
    return _root([lang, *_library_binds([interpreter.path]), *runtime], {})


def java_root(interpreter: Interpreter, runtime: Sequence[Bind]) -> Root:
    lang = Bind(interpreter.prefix, LANG_DIR)
    return _root([lang, *configuration_binds(interpreter.prefix), *runtime], {})


def ruby_root(interpreter: Interpreter, runtime: Sequence[Bind]) -> Root:
    """A Ruby has the places of its libraries compiled in: they are shown where they are on the host, too."""
    lang = [Bind(interpreter.path, path_inside(interpreter)), *_library_binds([interpreter.path])]
    if not _is_in_userland(interpreter.prefix / "lib" / "x"):
        lang.append(Bind(interpreter.prefix, str(interpreter.prefix)))
    gems = [
        Bind(place, str(place))
        for place in _DEBIAN_GEMS
        if place.is_dir() and interpreter.prefix == Path("/usr")
    ]
    links = {} if interpreter.path.name == "ruby" else {f"{LANG_DIR}/bin/ruby": interpreter.path.name}
    return _root([*lang, *gems, *runtime], links)


def can_show_ruby(interpreter: Interpreter) -> bool:
    """Not what is below a directory that is the sandbox's own: /opt is for layers."""
    return interpreter.prefix.parts[1] not in _PRIVATE


def path_inside(interpreter: Interpreter) -> str:
    return f"{LANG_DIR}/bin/{interpreter.path.name}"


def _library_binds(executables: Sequence[Path]) -> list[Bind]:
    """Shared libraries from elsewhere on the host: in /var/lang/lib, where LD_LIBRARY_PATH has them found, and where
    they are, for functions that set their own, unless the sandbox has something else there."""
    needed = [path for path in shared_libraries(executables) if not _is_in_userland(path)]
    binds = [Bind(path.resolve(), f"{LANG_DIR}/lib/{path.name}") for path in needed]
    return binds + [Bind(path.resolve(), str(path)) for path in needed if path.parts[1] not in _PRIVATE]


def _is_in_userland(path: Path) -> bool:
    """By where it really is: /lib/libc.so.6 is in /usr/lib on most hosts."""
    parent = path.parent.resolve()
    return any(parent.is_relative_to(place) for place in _shown_directories())


def _root(binds: Sequence[Bind], links: dict[str, str], directories: tuple[str, ...] = ()) -> Root:
    userland = [Bind(place, str(place)) for place in _shown_directories()]
    etc = [Bind(Path(place), place) for place in _FROM_ETC if Path(place).exists()]
    return Root(
        binds=(*userland, *etc, *binds),
        links={**_top_level_links(), **_etc_links(), **links},
        files=_FILES,
        mount_points=("/var/task", "/opt", *LIBRARY_DIRECTORIES, *directories),
    )


def _shown_directories() -> list[Path]:
    """/bin, /lib… are links to /usr on most hosts, and directories of their own on old ones."""
    places = map(Path, (*_USERLAND, *_TOP_LEVEL))
    return [place for place in places if place.is_dir() and not place.is_symlink()]


def _top_level_links() -> dict[str, str]:
    return {place: str(Path(place).readlink()) for place in _TOP_LEVEL if Path(place).is_symlink()}


def _etc_links() -> dict[str, str]:
    links = {"/etc/localtime": "/usr/share/zoneinfo/UTC", "/etc/os-release": "../usr/lib/os-release"}
    if Path(_DEBIAN_BUNDLE).exists() and not Path(_AMAZON_BUNDLE).parent.exists():
        links[_AMAZON_BUNDLE] = _DEBIAN_BUNDLE  # where programs built for Amazon Linux look
    return links
