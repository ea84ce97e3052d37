"""Every setting of the server, in one table, and where their values come from. Only this module reads os.environ.

A setting's value is its flag's, else its variable's, else the configuration file's, else the default.
docs/reference/settings.md is made from this table by scripts/settings_page.py.
"""

# ruff: noqa: RUF009 - a row is a dataclass field with its metadata

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

SYSTEM_FILE = Path("/etc/lambent/lambent.toml")
FILE_NAME = "lambent.toml"
ROLES = ("api", "worker", "poller")
READY_FILE = "ready.json"
"""In the data directory while a server runs."""
CONFIG_VARIABLE = "LAMBENT_CONFIG"


class SettingsError(Exception):
    """A setting is unknown, or its value is bad. The message is one line that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What values a setting takes. `convert` takes text or a TOML value and raises ValueError (or TypeError)."""

    says: str
    convert: Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table. `default_says` is how the default is written for people."""

    name: str
    kind: Kind
    default_says: str
    description: str
    unit: str

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "LAMBENT_" + self.name.upper()

    @property
    def is_switch(self) -> bool:
        return self.kind is _SWITCH

    def read(self, value: Any, source: str) -> Any:
        """The value, checked. Raises SettingsError, which names `source`."""
        try:
            return self.kind.convert(value)
        except (ValueError, TypeError):
            raise SettingsError(f"{source} must be {self.kind.says}, not {value!r}") from None


def _integer(least: int, most: int) -> Kind:
    return Kind(
        says=f"a whole number from {least} to {most}", convert=lambda value: _within(int, value, least, most)
    )


def _number(least: float, most: float) -> Kind:
    return Kind(
        says=f"a number from {least:g} to {most:g}", convert=lambda value: _within(float, value, least, most)
    )


def _within(number: type[int] | type[float], value: Any, least: float, most: float) -> int | float:
    if isinstance(value, bool) or (number is int and isinstance(value, float)):
        raise TypeError
    converted = number(value)
    if not least <= converted <= most:
        raise ValueError
    return converted


def _choice(*allowed: str) -> Kind:
    return Kind(says=f"one of {', '.join(allowed)}", convert=lambda value: allowed[allowed.index(value)])


def _pattern(says: str, expression: str) -> Kind:
    def convert(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(expression, value, re.ASCII):
            raise ValueError
        return value

    return Kind(says=says, convert=convert)


def _switched(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[_known(value)]


def _known(value: Any) -> str:
    text = str(value).lower()
    if text not in ("true", "1", "yes", "false", "0", "no"):
        raise ValueError
    return text


def _as_path(value: Any) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError
    return Path(value).expanduser().absolute()


def _as_paths(value: Any) -> tuple[Path, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(os.pathsep)
    return tuple(_as_path(part) for part in parts)


def _as_roles(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    chosen = {ROLES[ROLES.index(part)] for part in parts}
    if not chosen:
        raise ValueError
    return tuple(role for role in ROLES if role in chosen)


def _as_sources(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    if not all(isinstance(part, str) and _SOURCE.fullmatch(part) for part in parts):
        raise ValueError
    return tuple(parts)


_SOURCE = re.compile(r"(oci|oci-archive):/[^,\s]*|[0-9A-Za-z][0-9A-Za-z.-]*(:[0-9]{1,5})?(/[0-9a-z._/-]*)?")
_SOURCES = Kind(
    says="registries, repositories, oci:/DIRECTORY or oci-archive:/DIRECTORY, with commas (in the file: a list)",
    convert=_as_sources,
)
_SWITCH = Kind(says="true or false", convert=_switched)
_PATH = Kind(says="a path", convert=_as_path)
_PATHS = Kind(says="paths separated by ':' (in the file: a list of paths)", convert=_as_paths)
_SECONDS = _number(0, 1_000_000_000)
_ROLES = Kind(says=f"some of {', '.join(ROLES)}, separated by commas", convert=_as_roles)
_NAME = _pattern("letters, digits, '-', '.' and '_'", r"[0-9A-Za-z._-]{1,64}")
_HOST = _pattern("an address or a host name", r"[0-9A-Za-z.:_%-]{1,253}")


def _default_data_dir() -> Path:
    return Path("/var/lib/lambent") if os.geteuid() == 0 else Path.home() / ".local/share/lambent"


def _row(
    kind: Kind,
    default: Any,
    description: str,
    *,
    unit: str = "",
    default_says: str | None = None,
) -> Any:
    says = default_says if default_says is not None else _said(default)
    metadata = {"kind": kind, "description": description, "unit": unit, "default_says": says}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def _said(default: Any) -> str:
    return str(default).lower() if isinstance(default, bool) else f"{default}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The table. Units are in the names or beside the descriptions."""

    # Where the server is, and what it keeps.
    host: str = _row(
        _HOST, "127.0.0.1", "Address to listen at. Anything but a loopback address opens Lambent to others."
    )
    port: int = _row(_integer(0, 65535), 9000, "Port to listen at. 0 takes a free one.")
    data_dir: Path = _row(
        _PATH,
        _default_data_dir,
        "Everything that outlives the server: database, code, keys.",
        default_says="/var/lib/lambent for root, else ~/.local/share/lambent",
    )
    ready_file: Path | None = _row(
        _PATH,
        None,
        "A second file to write, as ready.json in the data directory, once the server listens: endpoint and root key.",
        default_says="none",
    )
    dev: bool = _row(
        _SWITCH, False, "Development: any access key is the root user's. Refused unless `host` is loopback."
    )

    # Whose account this is.
    account_id: str | None = _row(
        _pattern("12 digits", r"[0-9]{12}"),
        None,
        "The account that the root key belongs to.",
        default_says="made at the first start and kept in the data directory",
    )
    region: str = _row(
        _pattern("a region, such as us-east-1", r"[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}"),
        "us-east-1",
        "The region in the lines that `start` prints. Callers choose theirs; all are served.",
    )

    function_url_domain: str = _row(
        _pattern("a domain name", r"[0-9a-z-]{1,63}([.][0-9a-z-]{1,63})*"),
        "localhost",
        "What the host names of function URLs end in: http://ID.lambda-url.REGION.DOMAIN:PORT/.",
    )

    function_url_hosts: str = _row(
        _choice("auto", "never"),
        "auto",
        "auto keeps the names of function URLs in /etc/hosts while the server runs, where it may write there and the "
        "host does not resolve names below localhost otherwise.",
    )

    # Which node of a cluster this is.
    database: str | None = _row(
        _pattern("postgresql://… or sqlite:///PATH", r"postgres(ql)?://[^\0]+|sqlite:///[^\0]+"),
        None,
        "The database that nodes share: postgresql://USER@HOST/NAME (a password is better in PGPASSWORD or ~/.pgpass); "
        "sqlite:///PATH is a file that several servers of one host can have.",
        default_says="`lambent.db` in the data directory, for this server alone",
    )
    shared_dir: Path | None = _row(
        _PATH,
        None,
        "Where the nodes of a database keep functions' code and S3's objects together: a directory of a shared file "
        "system, the same on all of them.",
        default_says="the data directory, for this server alone",
    )
    node_id: str | None = _row(
        _NAME,
        None,
        "The name of this node among those that share its database, the same after a restart.",
        default_says="made at the first start and kept in the data directory",
    )
    replace_secrets: bool = _row(
        _SWITCH,
        False,
        "Once, after `master-key`, `root-key.json` or `account-id` was lost or replaced: what this node has replaces "
        "what the database has for all nodes. KMS keys that another master key has wrapped stay unreadable.",
    )
    zone: str = _row(_NAME, "local", "The availability zone of this node, as `lambent status` tells it.")
    roles: tuple[str, ...] = _row(
        _ROLES,
        ROLES,
        "What this node does beside answering requests, which every node does (`api`): `worker` runs the events that "
        "were accepted, `poller` reads event sources and does what one node does for all.",
        default_says="`api,worker,poller`",
    )

    # How functions run.
    blanks_per_runtime: int = _row(
        _integer(0, 1000),
        2,
        "Environments kept ready for each runtime in use, so that cold starts are short.",
    )
    init_timeout_seconds: float = _row(
        _number(0.1, 900),
        10.0,
        "How long the Init phase may take before it is tried again within the invocation.",
        unit="s",
    )
    freeze_after_seconds: float = _row(
        _SECONDS,
        0.1,
        "Idle time after which an environment gets no more CPU until its next invocation.",
        unit="s",
    )
    idle_expiry_seconds: float = _row(
        _SECONDS, 600.0, "Idle time after which an environment is ended.", unit="s"
    )
    environment_max_age_seconds: float = _row(
        _number(1, 43_200), 14_400.0, "Age after which an environment is not used again.", unit="s"
    )
    state_transition_seconds: float = _row(
        _number(0, 60),
        1.0,
        "How long a new or updated function shows as Pending or InProgress. 0 suits test suites.",
        unit="s",
    )
    deprecated_runtimes: str = _row(
        _choice("allow", "refuse"),
        "allow",
        "Whether functions can be created with runtimes that AWS has closed.",
    )
    runtime_paths: tuple[Path, ...] = _row(
        _PATHS, (), "Directories to search for interpreters before the usual ones.", default_says="none"
    )
    isolation: str = _row(
        _choice("auto", "namespaces", "userns", "process"),
        "auto",
        "What keeps functions apart: `auto` is namespaces for root and userns for other users; `process` isolates "
        "nothing, and is never taken but by its name.",
    )
    function_network: str = _row(
        _choice("none", "nat"),
        "none",
        "What functions reach beside Lambent itself: nothing, or by NAT what is outside. `nat` needs --isolation "
        "namespaces and nftables, and has the host forward packets.",
    )
    function_network_private: bool = _row(
        _SWITCH,
        False,
        "Whether with `nat` functions also reach networks for private use (10/8, 100.64/10, 172.16/12, 192.168/16).",
    )
    uid_base: int = _row(
        _integer(65_536, 2_147_000_000),
        1_900_000_000,
        "First user id of sandboxes. The range must be nobody else's.",
    )
    uid_count: int = _row(
        _integer(2, 1_000_000), 65_536, "How many user ids sandboxes may have: as many can run at a time."
    )

    # Invocations and events.
    account_concurrency: int = _row(
        _integer(1, 1_000_000), 1000, "Invocations that can run at a time, all functions together."
    )
    retry_base_seconds: float = _row(
        _number(0, 3600),
        60.0,
        "Delay before an asynchronous invocation's first retry after a function error; the second waits twice as long.",
        unit="s",
    )
    event_poll_seconds: float = _row(
        _number(0.01, 3600),
        5.0,
        "How often the event queue is looked at when nothing announces new events.",
        unit="s",
    )
    response_stream_mib: int = _row(
        _integer(1, 1_048_576), 200, "Largest response that a function may stream.", unit="MiB"
    )
    max_request_mib: int = _row(
        _integer(7, 4096),
        80,
        "Largest request body. Zip files of 50 MB need 67 MiB in a request.",
        unit="MiB",
    )

    s3_endpoint: str | None = _row(
        _pattern("an address that begins with http:// or https://", r"https?://[^\s/]+(/\S*)?"),
        None,
        "An S3-compatible store that functions' code may come from, where its bucket is none here.",
        default_says="none",
    )
    s3_credentials_file: Path = _row(
        _PATH,
        lambda: Path.home() / ".aws/credentials",
        "The key for s3_endpoint, in the form of ~/.aws/credentials.",
        default_says="`~/.aws/credentials`",
    )

    ecr_uris: str = _row(
        _choice("local", "aws"),
        "local",
        "How ECR names its repositories: local by this server's address, which docker can push to, aws as AWS does "
        "(ACCOUNT.dkr.ecr.REGION.amazonaws.com). Functions may name their images in both ways.",
    )
    image_sources: tuple[str, ...] = _row(
        _SOURCES,
        (),
        "What else than ECR here functions' images may come from: registries or repositories (public.ecr.aws/lambda), "
        "and directories of OCI layouts and archives (oci:/srv/images, oci-archive:/srv/images). Needs skopeo.",
        default_says="none",
    )
    image_credentials_file: Path | None = _row(
        _PATH,
        None,
        "Credentials for the registries among `image_sources`, in the form of ~/.docker/config.json.",
        default_says="none",
    )

    # Logs and metrics.
    log_flush_seconds: float = _row(
        _number(0.01, 60), 0.2, "How long functions' log lines may wait to be stored together.", unit="s"
    )
    log_expiry_seconds: float = _row(
        _number(1, 86_400), 3600.0, "How often log events that retention has outlived are deleted.", unit="s"
    )
    otlp_endpoint: str | None = _row(
        _pattern("an http:// or https:// URL", r"https?://[^\s/]+(/\S*)?"),
        None,
        "OpenTelemetry collector that metrics are pushed to, by OTLP over HTTP at /v1/metrics below this URL.",
        default_says="none",
    )
    otlp_interval_seconds: float = _row(
        _number(1, 3600), 60.0, "How often metrics are pushed to `otlp_endpoint`.", unit="s"
    )
    log_level: str = _row(
        _choice("debug", "info", "warning", "error"), "info", "Least severe entries of the server's own log."
    )
    log_format: str = _row(
        _choice("text", "json"), "text", "Form of the server's own log, which goes to standard error."
    )


def table() -> tuple[Setting, ...]:
    """The settings, in the order in which they are documented."""
    return tuple(Setting(name=entry.name, **entry.metadata) for entry in fields(Settings))


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
    data_dir = values.get("data_dir") or _default_data_dir()
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
