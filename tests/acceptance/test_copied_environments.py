"""Environments of Python that are copies of a process: no function can tell, unless it looks for it."""

from typing import Any

import pytest
from lambent_server import Lambent, eventually

TENANTS = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
"""Whose environments are nobody's copies."""
COPIED = "b'_LAMBDA_ZYGOTE_FD' in open('/proc/self/environ', 'rb').read()"
PORTRAIT = f"""
import sys
modules = sorted(sys.modules)
import gc, logging, os, resource, signal, socket, warnings
def files():
    for name in os.listdir("/proc/self/fd"):
        try:
            yield name, os.readlink("/proc/self/fd/" + name).split(":")[0]
        except FileNotFoundError:
            pass
def handler(event, context):
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
    told = ("Name", "Umask", "Groups", "NSpid", "NoNewPrivs", "Seccomp", "CapPrm", "CapBnd", "SigIgn", "SigCgt")
    mounts = [line.split() for line in open("/proc/self/mountinfo")]
    look = {{
        "modules": modules,
        "path": sys.path,
        "importers": sorted(sys.path_importer_cache),
        "flags": str(sys.flags),
        "arguments": [sys.argv, sys.orig_argv, sys.executable, open("/proc/self/cmdline").read()],
        "variables": sorted(os.environ),
        "files": sorted(files()),
        "status": {{name: status[name].strip() for name in told}},
        "mounts": sorted((fields[4], fields[5]) for fields in mounts if fields[4] != "/var/task"),
        "limits": open("/proc/self/limits").read(),
        "group": open("/proc/self/cgroup").read(),
        "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "ids": [os.getpid(), os.getppid(), os.getsid(0), os.getpgid(0)],
        "place": [os.getcwd(), os.listdir("/tmp"), socket.gethostname(), os.uname().nodename],
        "score": open("/proc/self/oom_score_adj").read(),
        "gc": [gc.isenabled(), gc.get_threshold()],
        "loggers": sorted(logging.root.manager.loggerDict),
        "streams": [str(sys.__stdin__), str(sys.__stdout__), str(sys.__stderr__)],
        "relative": logging.makeLogRecord({{}}).relativeCreated < 3_600_000,
    }}
    return {{"copied": {COPIED}, "look": look}}
"""
SDK = f"""
import os, sys
early = "boto3" in sys.modules
import boto3
had_session = boto3.DEFAULT_SESSION is not None
identity = boto3.client("sts").get_caller_identity()["Arn"]
queues = boto3.client("sqs")
def handler(event, context):
    frozen = boto3.Session().get_credentials().get_frozen_credentials()
    return {{
        "copied": {COPIED},
        "early": early,
        "had_session": had_session,
        "identity": identity,
        "region": queues.meta.region_name,
        "own": frozen.access_key == os.environ["AWS_ACCESS_KEY_ID"],
        "file": boto3.__file__,
    }}
"""


def copied(lambent: Lambent, name: str, **parameters: Any) -> Any:
    """What an environment answers that is a copy: the first may have been made before there was something to copy."""

    def answer() -> Any:
        lambent.update_configuration(name)
        value = lambent.call(name, **parameters)
        return value if value["copied"] else None

    return eventually(answer, seconds=30)


def test_a_copy_looks_as_if_it_had_been_executed(lambent: Lambent) -> None:
    executed = lambent.call(lambent.python(PORTRAIT, **TENANTS), TenantId="one")
    assert not executed["copied"]
    assert copied(lambent, lambent.python(PORTRAIT))["look"] == executed["look"]


def test_the_sdk_is_there_sooner_and_is_the_functions_own(lambent: Lambent) -> None:
    name = lambent.python(SDK, Timeout=30)
    seen = copied(lambent, name)
    assert seen["early"]
    assert not seen["had_session"]
    assert seen["identity"].endswith(f"assumed-role/plain/{name}")
    assert (seen["region"], seen["own"]) == ("us-east-1", True)
    assert seen["file"] == "/var/runtime/boto3/__init__.py"


@pytest.mark.parametrize("variables", [{}, {"PYTHONPATH": "/var/task/lib"}])
def test_what_a_function_brings_goes_before_what_was_imported_for_it(
    lambent: Lambent, variables: dict[str, str]
) -> None:
    """By its name alone: a module of the library that the SDK uses, and one that the SDK would have used."""
    source = (
        "import sys\n"
        "early = [name for name in ('boto3', 'getpass', 'socket') if name in sys.modules]\n"
        "import boto3, botocore.httpsession, getpass\n"
        "import certifi\n"
        "def handler(event, context):\n"
        f"    return {{'copied': {COPIED}, 'early': early, 'getpass': getpass.__file__, 'sdk': boto3.__file__,\n"
        "            'same': botocore.httpsession.where is certifi.where}\n"
    )
    where = "def where(): return '/etc/ssl/certs/ca-certificates.crt'\n"
    library = "def getpass(): return 'mine'\n"
    place = "lib/" if "PYTHONPATH" in variables else ""
    code = {"index.py": source, f"{place}certifi.py": where, f"{place}getpass.py": library}
    name = lambent.deploy(code, Handler="index.handler", Environment={"Variables": variables}, Timeout=30)
    seen = copied(lambent, name)
    assert seen["early"] == []
    assert seen["sdk"] == "/var/runtime/boto3/__init__.py"
    assert seen["same"]
    assert seen["getpass"] == f"/var/task/{place}getpass.py"
