"""The table of all settings. docs/reference/settings.md is made from it by scripts/settings_page.py."""

# ruff: noqa: RUF009 - a row is a dataclass field with its metadata

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lambent.config.kinds import (
    HOST,
    NAME,
    PATH,
    PATHS,
    ROLE_NAMES,
    ROLES,
    RUNTIME_IMAGES,
    SECONDS,
    SOURCES,
    SWITCH,
    Kind,
    Setting,
    choice,
    integer,
    number,
    pattern,
)


def default_data_dir() -> Path:
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
        HOST, "127.0.0.1", "Address to listen at. Anything but a loopback address opens Lambent to others."
    )
    port: int = _row(integer(0, 65535), 9000, "Port to listen at. 0 takes a free one.")
    data_dir: Path = _row(
        PATH,
        default_data_dir,
        "Everything that outlives the server: database, code, keys.",
        default_says="/var/lib/lambent for root, else ~/.local/share/lambent",
    )
    ready_file: Path | None = _row(
        PATH,
        None,
        "A second file to write, as ready.json in the data directory, once the server listens: endpoint and root key.",
        default_says="none",
    )
    dev: bool = _row(
        SWITCH, False, "Development: any access key is the root user's. Refused unless `host` is loopback."
    )

    # Whose account this is.
    account_id: str | None = _row(
        pattern("12 digits", r"[0-9]{12}"),
        None,
        "The account that the root key belongs to.",
        default_says="made at the first start and kept in the data directory",
    )
    region: str = _row(
        pattern("a region, such as us-east-1", r"[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}"),
        "us-east-1",
        "The region in the lines that `start` prints. Callers choose theirs; all are served.",
    )

    function_url_domain: str = _row(
        pattern("a domain name", r"[0-9a-z-]{1,63}([.][0-9a-z-]{1,63})*"),
        "localhost",
        "What the host names of function URLs end in: http://ID.lambda-url.REGION.DOMAIN:PORT/.",
    )

    function_url_hosts: str = _row(
        choice("auto", "never"),
        "auto",
        "auto keeps the names of function URLs in /etc/hosts while the server runs, where it may write there and the "
        "host does not resolve names below localhost otherwise.",
    )

    # Which node of a cluster this is.
    database: str | None = _row(
        pattern("postgresql://… or sqlite:///PATH", r"postgres(ql)?://[^\0]+|sqlite:///[^\0]+"),
        None,
        "The database that nodes share: postgresql://USER@HOST/NAME (a password is better in PGPASSWORD or ~/.pgpass); "
        "sqlite:///PATH is a file that several servers of one host can have.",
        default_says="`lambent.db` in the data directory, for this server alone",
    )
    database_outage_seconds: float = _row(
        number(0, 60),
        8.0,
        "How long requests wait for a PostgreSQL that is away, from the moment on when that was noticed: it may only "
        "restart, or another take over. Later they are refused at once, until it is back.",
        unit="s",
    )
    database_wait_seconds: float = _row(
        number(0, 3600),
        60.0,
        "How long a start waits for a PostgreSQL that cannot be reached.",
        unit="s",
    )
    shared_dir: Path | None = _row(
        PATH,
        None,
        "Where the nodes of a database keep functions' code and S3's objects together: a directory of a shared file "
        "system, the same on all of them.",
        default_says="the data directory, for this server alone",
    )
    node_id: str | None = _row(
        NAME,
        None,
        "The name of this node among those that share its database, the same after a restart.",
        default_says="made at the first start and kept in the data directory",
    )
    replace_secrets: bool = _row(
        SWITCH,
        False,
        "Once, after `master-key`, `root-key.json` or `account-id` was lost or replaced: what this node has replaces "
        "what the database has for all nodes. KMS keys that another master key has wrapped stay unreadable.",
    )
    zone: str = _row(
        NAME, "local", "The availability zone of this node: provisioned environments are spread over zones."
    )
    roles: tuple[str, ...] = _row(
        ROLE_NAMES,
        ROLES,
        "What this node does: `api` answers requests, `worker` runs functions, `poller` reads event sources and does "
        "what one node does for all.",
        default_says="`api,worker,poller`",
    )
    membership_seconds: float = _row(
        number(2, 3600),
        8.0,
        "How long a node is counted on that says nothing: then its leases, events and parts of limits are others'. It "
        "renews that four times in this time. The same on all nodes of a database.",
        unit="s",
    )
    node_host: str | None = _row(
        HOST,
        None,
        "Address at which other nodes of the database call this one, by TLS with certificates of the cluster's own.",
        default_says="the address from which the database is reached",
    )
    node_port: int = _row(
        integer(0, 65535),
        0,
        "Port of `node_host`. 0 takes a free one: nodes tell each other in the database.",
    )
    node_address: str | None = _row(
        pattern("HOST:PORT", r"[0-9A-Za-z._-]{1,253}:[0-9]{1,5}|\[[0-9A-Fa-f:.]{2,45}\]:[0-9]{1,5}"),
        None,
        "Where other nodes reach this one, if not at `node_host` and its port: behind NAT, in a container.",
        default_says="`node_host` and its port",
    )

    # How functions run.
    blanks_per_runtime: int = _row(
        integer(0, 1000),
        2,
        "Environments kept ready for each runtime in use, so that cold starts are short.",
    )
    zygotes: int = _row(
        integer(0, 1000),
        8,
        "Processes that environments of Python are copied from, faster than an interpreter is executed: at most so "
        "many, one for each account and runtime. docs/internals/cold-start.md says what copies of one have in common. "
        "0 executes an interpreter for every environment.",
    )
    init_timeout_seconds: float = _row(
        number(0.1, 900),
        10.0,
        "How long the Init phase may take before it is tried again within the invocation.",
        unit="s",
    )
    freeze_after_seconds: float = _row(
        SECONDS,
        0.1,
        "Idle time after which an environment gets no more CPU until its next invocation.",
        unit="s",
    )
    idle_expiry_seconds: float = _row(
        SECONDS, 600.0, "Idle time after which an environment is ended.", unit="s"
    )
    environment_max_age_seconds: float = _row(
        number(1, 43_200), 14_400.0, "Age after which an environment is not used again.", unit="s"
    )
    state_transition_seconds: float = _row(
        number(0, 60),
        1.0,
        "How long a new or updated function shows as Pending or InProgress. 0 suits test suites.",
        unit="s",
    )
    deprecated_runtimes: str = _row(
        choice("allow", "refuse"),
        "allow",
        "Whether functions can be created with runtimes that AWS has closed.",
    )
    runtime_paths: tuple[Path, ...] = _row(
        PATHS, (), "Directories to search for interpreters before the usual ones.", default_says="none"
    )
    runtime_image: Mapping[str, str] = _row(
        RUNTIME_IMAGES,
        dict,
        "A runtime that is taken from an image, one of AWS's base images or one like them, whether the host has an "
        "interpreter or not: ruby3.3=public.ecr.aws/lambda/ruby:3.3. It is fetched at the first start. Needs skopeo.",
        default_says="none",
    )
    isolation: str = _row(
        choice("auto", "namespaces", "userns", "process"),
        "auto",
        "What keeps functions apart: `auto` is namespaces for root and userns for other users; `process` isolates "
        "nothing, and is never taken but by its name.",
    )
    function_network: str = _row(
        choice("none", "nat"),
        "none",
        "What functions reach beside Lambent itself: nothing, or by NAT what is outside. `nat` needs --isolation "
        "namespaces and nftables, and has the host forward packets.",
    )
    function_network_private: bool = _row(
        SWITCH,
        False,
        "Whether with `nat` functions also reach networks for private use (10/8, 100.64/10, 172.16/12, 192.168/16).",
    )
    uid_base: int = _row(
        integer(65_536, 2_147_000_000),
        1_900_000_000,
        "First user id of sandboxes. The range must be nobody else's.",
    )
    uid_count: int = _row(
        integer(2, 1_000_000), 65_536, "How many user ids sandboxes may have: as many can run at a time."
    )

    # Invocations and events.
    account_concurrency: int = _row(
        integer(1, 1_000_000), 1000, "Invocations that can run at a time, all functions together."
    )
    retry_base_seconds: float = _row(
        number(0, 3600),
        60.0,
        "Delay before an asynchronous invocation's first retry after a function error; the second waits twice as long.",
        unit="s",
    )
    event_poll_seconds: float = _row(
        number(0.01, 3600),
        5.0,
        "How often the event queue is looked at when nothing announces new events.",
        unit="s",
    )
    response_stream_mib: int = _row(
        integer(1, 1_048_576), 200, "Largest response that a function may stream.", unit="MiB"
    )
    max_request_mib: int = _row(
        integer(7, 4096),
        80,
        "Largest request body. Zip files of 50 MB need 67 MiB in a request.",
        unit="MiB",
    )

    s3_endpoint: str | None = _row(
        pattern("an address that begins with http:// or https://", r"https?://[^\s/]+(/\S*)?"),
        None,
        "An S3-compatible store that functions' code may come from, where its bucket is none here.",
        default_says="none",
    )
    s3_credentials_file: Path = _row(
        PATH,
        lambda: Path.home() / ".aws/credentials",
        "The key for s3_endpoint, in the form of ~/.aws/credentials.",
        default_says="`~/.aws/credentials`",
    )

    ecr_uris: str = _row(
        choice("local", "aws"),
        "local",
        "How ECR names its repositories: local by this server's address, which docker can push to, aws as AWS does "
        "(ACCOUNT.dkr.ecr.REGION.amazonaws.com). Functions may name their images in both ways.",
    )
    image_sources: tuple[str, ...] = _row(
        SOURCES,
        (),
        "What else than ECR here functions' images may come from: registries or repositories (public.ecr.aws/lambda), "
        "and directories of OCI layouts and archives (oci:/srv/images, oci-archive:/srv/images). Needs skopeo.",
        default_says="none",
    )
    image_credentials_file: Path | None = _row(
        PATH,
        None,
        "Credentials for the registries of `image_sources` and `runtime_image`, in the form of ~/.docker/config.json.",
        default_says="none",
    )

    # What topics send beyond this server.
    smtp_server: str | None = _row(
        pattern("smtp://HOST:PORT or smtps://HOST:PORT", r"smtps?://[^\s/@:]+:[0-9]{1,5}"),
        None,
        "The mail server that email to subscribers of topics is handed to. Without it, none is sent.",
        default_says="none",
    )
    email_sender: str = _row(
        pattern("an email address", r"[^\s@<>]+@[^\s@<>]+"), "no-reply@localhost", "Who such email is from."
    )
    sms_gateway: str | None = _row(
        pattern("an http:// or https:// URL", r"https?://[^\s/]+(/\S*)?"),
        None,
        "Where text messages of SNS are posted to, each as JSON: PhoneNumber, Message, MessageId, SMSType, SenderID. "
        "Without it, none is sent.",
        default_says="none",
    )

    # Logs and metrics.
    log_flush_seconds: float = _row(
        number(0.01, 60), 0.2, "How long functions' log lines may wait to be stored together.", unit="s"
    )
    log_expiry_seconds: float = _row(
        number(1, 86_400), 3600.0, "How often log events that retention has outlived are deleted.", unit="s"
    )
    otlp_endpoint: str | None = _row(
        pattern("an http:// or https:// URL", r"https?://[^\s/]+(/\S*)?"),
        None,
        "OpenTelemetry collector that metrics are pushed to, by OTLP over HTTP at /v1/metrics below this URL.",
        default_says="none",
    )
    otlp_interval_seconds: float = _row(
        number(1, 3600), 60.0, "How often metrics are pushed to `otlp_endpoint`.", unit="s"
    )
    log_level: str = _row(
        choice("debug", "info", "warning", "error"), "info", "Least severe entries of the server's own log."
    )
    log_format: str = _row(
        choice("text", "json"), "text", "Form of the server's own log, which goes to standard error."
    )


def table() -> tuple[Setting, ...]:
    """The settings, in the order in which they are documented."""
    return tuple(Setting(name=entry.name, **entry.metadata) for entry in fields(Settings))
