"""Where the values of settings come from. Only this module reads os.environ.

A setting's value is its flag's, else its variable's, else the configuration file's, else the default.
"""

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lambent.config.kinds import Setting, SettingsError
from lambent.config.settings import Settings, default_data_dir, table

SYSTEM_FILE = Path("/etc/lambent/lambent.toml")
FILE_NAME = "lambent.toml"
READY_FILE = "ready.json"
"""In the data directory while a server runs."""
CONFIG_VARIABLE = "LAMBENT_CONFIG"


def load(
    flags: Mapping[str, Any],
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    system_file: Path = SYSTEM_FILE,
) -> Settings:
    """`flags` are values by setting name, as given; `config` is the file named by --config. Raises SettingsError.

    Without a named file the first of DATA_DIR/lambent.toml and /etc/lambent/lambent.toml that exists is read. A
    variable that is empty counts as not set."""
    environ = os.environ if environ is None else environ
    rows = {row.name: row for row in table()}
    values = {name: rows[name].read(value, rows[name].flag) for name, value in flags.items()}
    for row in rows.values():
        if row.name not in values and (text := environ.get(row.variable)):
            values[row.name] = row.read(text, row.variable)
    named = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    data_dir = values.get("data_dir") or default_data_dir()
    file = named or next((path for path in (data_dir / FILE_NAME, system_file) if path.is_file()), None)
    if file is not None:
        values = {**_read_file(file, rows, in_data_dir=file == data_dir / FILE_NAME), **values}
    settings = Settings(**values)
    if settings.dev and not is_loopback(settings.host):
        raise SettingsError(f"--dev lets any key in: use it with --host 127.0.0.1, not with {settings.host}")
    return settings


def search_path(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """The PATH of this process, for finding interpreters."""
    environ = os.environ if environ is None else environ
    return tuple(Path(part) for part in environ.get("PATH", os.defpath).split(os.pathsep) if part)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_file(file: Path, rows: Mapping[str, Setting], *, in_data_dir: bool) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise SettingsError(f"{file} is not valid TOML: {error}") from None
    if in_data_dir and "data_dir" in content:
        raise SettingsError(f"remove data_dir from {file}: a file in the data directory cannot move it")
    values = {}
    for name, value in content.items():
        if name not in rows:
            near = difflib.get_close_matches(name, rows, n=1)
            meant = f"did you mean {near[0]}?" if near else "`lambent start --help` lists all settings"
            raise SettingsError(f"unknown setting {name} in {file}: {meant}")
        values[name] = rows[name].read(value, f"{name} in {file}")
    return values
