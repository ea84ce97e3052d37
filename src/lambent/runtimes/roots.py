"""The read-only root of each runtime: a small userland from the host's /usr, and the runtime.

Nothing of the host's /etc, /home, /root, /usr/local or /var is in it. What /etc has is written here, but for the
certificates and what the dynamic loader and Debian's alternatives need.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from lambent.runtimes.interpreters import Interpreter
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
_DEBIAN_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_AMAZON_BUNDLE = "/etc/pki/tls/certs/ca-bundle.crt"

_FILES: Final = {
    "/etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n",
    "/etc/group": "root:x:0:\nsbx_user1051:x:990:\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    "/etc/hostname": "localhost\n",
    "/etc/resolv.conf": "options timeout:1 attempts:1\n",
}


def custom_root() -> Root:
    """For runtimes that bring their interpreter along."""
    return _root((), {}, (RUNTIME_DIR,))


def python_root(interpreter: Interpreter, runtime: Sequence[Bind]) -> Root:
    major, minor, _ = interpreter.version
    library = interpreter.prefix / "lib" / f"python{major}.{minor}"
    shown = [interpreter.path, library, *sorted((interpreter.prefix / "lib").glob(f"libpython{major}*.so*"))]
    needed = shared_libraries([interpreter.path, *telling_modules(library)])
    return _root([*map(_bind_in_place, _outside_userland([*shown, *needed])), *runtime], _links(interpreter))


def nodejs_root(interpreter: Interpreter, runtime: Sequence[Bind]) -> Root:
    needed = shared_libraries([interpreter.path])
    shown = _outside_userland([interpreter.path, *needed])
    return _root([*map(_bind_in_place, shown), *runtime], _links(interpreter))


def path_inside(interpreter: Interpreter) -> str:
    """Below /var/lang, as on AWS, so that stack traces and sys.prefix name what they name there."""
    return f"{LANG_DIR}/{interpreter.path.relative_to(interpreter.prefix)}"


def _links(interpreter: Interpreter) -> dict[str, str]:
    return {LANG_DIR: str(interpreter.prefix)}


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


def _outside_userland(paths: Iterable[Path]) -> list[Path]:
    """By where a path really is: /lib/libc.so.6 is in /usr/lib on most hosts."""
    shown = _shown_directories()
    really = {path: path.parent.resolve() for path in paths}
    return [
        path for path, parent in really.items() if not any(parent.is_relative_to(place) for place in shown)
    ]


def _bind_in_place(path: Path) -> Bind:
    return Bind(path.resolve(), str(path))
