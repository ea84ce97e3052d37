"""How the function of a container image is started: the image's own root, entry point and variables, as the function's
ImageConfig changes them.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-parms.html
"""

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from lambent.artifacts.images.paths import mode_of, resolve
from lambent.artifacts.images.store import UnpackedImage
from lambent.model.image import ImageOverrides
from lambent.runtimes.install import RuntimeInstall
from lambent.runtimes.variables import image_variables
from lambent.sandbox.port import Bind, Root

_SANDBOX_OWN = ("/dev", "/proc", "/tmp")  # noqa: S108 - a path inside
_DEFAULT_DIRECTORY = "/"


def image_install(image: UnpackedImage, overrides: ImageOverrides) -> RuntimeInstall:
    """`argv` is empty where nothing says what to run, and begins with what was asked for where that is not found: its
    execution fails as that of anything else that is not there."""
    config = image.config
    entry_point = config.entry_point if overrides.entry_point is None else overrides.entry_point
    command = config.command if overrides.command is None else overrides.command
    directory = overrides.working_directory or config.working_directory or _DEFAULT_DIRECTORY
    variables = image_variables(config.variables)
    argv = (*entry_point, *command)
    if argv:
        argv = (_executable(image.rootfs, argv[0], directory, variables), *argv[1:])
    return RuntimeInstall(
        identifier=f"image:{image.digest}",
        kind="api",
        interpreter=None,
        version="",
        root=image_root(image.rootfs),
        argv=argv,
        static_variables=variables,
        exec_time_variables=frozenset(),
        yielding_options={},
        directory=directory,
        from_image=True,
    )


def image_root(rootfs: Path, mount_points: tuple[str, ...] = ()) -> Root:
    """Each entry of the image's root directory by itself, so that nothing is ever mounted over what an image made. What
    it has at `mount_points` is not shown; the directories on the way to them are its own."""
    binds: list[Bind] = []
    links: dict[str, str] = {}
    _show(rootfs, "", frozenset((*_SANDBOX_OWN, *mount_points)), binds, links)
    return Root(binds=tuple(binds), links=links, mount_points=mount_points)


def _show(
    directory: Path, inside: str, hidden: frozenset[str], binds: list[Bind], links: dict[str, str]
) -> None:
    for entry in sorted(directory.iterdir()):
        path = f"{inside}/{entry.name}"
        mode = mode_of(entry)
        if path in hidden or mode is None:
            continue
        if stat.S_ISLNK(mode):
            links[path] = str(entry.readlink())
        elif stat.S_ISDIR(mode) and any(place.startswith(f"{path}/") for place in hidden):
            _show(entry, path, hidden, binds, links)
        else:
            binds.append(Bind(entry, path))


def _executable(rootfs: Path, name: str, directory: str, variables: Mapping[str, str]) -> str:
    """The absolute path inside of what `name` means to a shell there."""
    if name.startswith("/"):
        return name
    if "/" in name:
        return f"{directory.rstrip('/')}/{name}"
    for place in _search_path(variables):
        found = resolve(rootfs, f"{place}/{name}")
        mode = None if found is None else mode_of(found)
        if mode is not None and stat.S_ISREG(mode) and mode & 0o111:
            return f"{place.rstrip('/')}/{name}"
    return name


def _search_path(variables: Mapping[str, str]) -> Sequence[str]:
    return [place for place in variables["PATH"].split(":") if place.startswith("/")]
