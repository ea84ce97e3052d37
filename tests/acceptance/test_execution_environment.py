"""What a handler finds around it: context, variables, files, who it is, and what it may call."""

import json
import re
import time
import uuid

import pytest
from botocore.exceptions import ClientError
from lambent_server import NODE, PYTHON, Lambent, eventually

RUN = """def handler(event, context):
    scope = {'context': context}
    exec(event, scope)
    return scope.get('answer')
"""
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*"}],
}


@pytest.fixture(scope="module")
def runner(lambent: Lambent) -> str:
    return lambent.python(RUN, Timeout=9, MemorySize=256)


def test_the_context_of_python(lambent: Lambent) -> None:
    name = lambent.python(
        "def handler(event, context):\n"
        "    names = ['function_name', 'function_version', 'invoked_function_arn', 'memory_limit_in_mb',\n"
        "             'aws_request_id', 'log_group_name', 'log_stream_name', 'client_context', 'tenant_id']\n"
        "    found = {name: getattr(context, name) for name in names}\n"
        "    found['identity'] = [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id]\n"
        "    return found\n",
        MemorySize=192,
    )
    result = lambent.invoke(name)
    found = result.value
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", found.pop("log_stream_name"))
    assert str(uuid.UUID(result.request_id)) == result.request_id
    assert found == {
        "function_name": name,
        "function_version": "$LATEST",
        "invoked_function_arn": f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{name}",
        "memory_limit_in_mb": "192",
        "aws_request_id": result.request_id,
        "log_group_name": f"/aws/lambda/{name}",
        "client_context": None,
        "tenant_id": None,
        "identity": [None, None],
    }


def test_the_context_of_nodejs(lambent: Lambent) -> None:
    name = lambent.node(
        "export const handler = async (event, context) =>"
        " ({...context, left: context.getRemainingTimeInMillis()});",
        Timeout=7,
    )
    result = lambent.invoke(name)
    found = result.value
    assert 6000 < found.pop("left") <= 7000
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", found.pop("logStreamName"))
    assert found == {
        "callbackWaitsForEmptyEventLoop": True,
        "functionName": name,
        "functionVersion": "$LATEST",
        "invokedFunctionArn": f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{name}",
        "memoryLimitInMB": "128",
        "awsRequestId": result.request_id,
        "logGroupName": f"/aws/lambda/{name}",
    }


def test_the_remaining_time_counts_down(lambent: Lambent, runner: str) -> None:
    first, second = lambent.call(
        runner,
        "import time\n"
        "first = context.get_remaining_time_in_millis()\n"
        "time.sleep(0.2)\n"
        "answer = [first, context.get_remaining_time_in_millis()]",
    )
    assert 8000 < first <= 9000
    assert 190 <= first - second < 1500


def test_tmp_is_ours_limited_and_kept_while_warm(lambent: Lambent, runner: str) -> None:
    lambent.call(runner, "open('/tmp/kept', 'w').write('warm')")
    assert lambent.call(runner, "answer = open('/tmp/kept').read()") == "warm"
    written, error = lambent.call(
        runner,
        "import os\n"
        "written, error = 0, None\n"
        "with open('/tmp/big', 'wb', buffering=0) as file:\n"
        "    try:\n"
        "        while True:\n"
        "            os.posix_fallocate(file.fileno(), written, 4 << 20)\n"
        "            written += 4 << 20\n"
        "    except OSError as caught: error = os.strerror(caught.errno)\n"
        "os.remove('/tmp/big')\n"
        "answer = [written >> 20, error]",
    )
    assert error == "No space left on device"
    assert 512 <= written <= 540


def test_a_larger_tmp(lambent: Lambent) -> None:
    name = lambent.python(RUN, EphemeralStorage={"Size": 1024})
    source = "import os; s = os.statvfs('/tmp'); answer = s.f_frsize * s.f_blocks >> 20"
    assert 1024 <= lambent.call(name, source) <= 1080
    lambent.lambda_.update_function_configuration(FunctionName=name, EphemeralStorage={"Size": 10_240})
    lambent.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert 10_240 <= lambent.call(name, source) <= 10_800


def test_a_share_of_a_processor_for_each_1769_megabytes(lambent: Lambent) -> None:
    """Handlers get no more time of a processor than their memory buys, but what the kernel saves up for a burst; Init
    is not held back."""
    source = (
        "import time\nstarted, used = time.monotonic(), time.process_time()\n"
        "while time.monotonic() - started < 1: pass\n"
        "answer = (time.process_time() - used) / (time.monotonic() - started)\n"
    )
    tenth = lambent.call(lambent.python(RUN, MemorySize=177, Timeout=20), source)
    assert tenth < 0.1 + 0.02 + 0.01, "a period of a tenth of a second may have been saved up, and one begun"


def test_a_thousand_descriptors_and_processes(lambent: Lambent, runner: str) -> None:
    source = (
        "import os, resource\nopened = []\n"
        "try:\n    while True: opened.append(os.open('/dev/null', 0))\nexcept OSError as error: failed = error.errno\n"
        "most = max(opened)\nfor one in opened: os.close(one)\n"
        "answer = [failed, most, resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_NPROC)]"
    )
    failed, most, descriptors, processes = lambent.call(runner, source)
    assert (failed, most, descriptors) == (24, 1023, [1024, 1024])
    assert processes == [1024, 1024]


@pytest.mark.parametrize(
    "path", ["/var/task/x", "/opt/x", "/x", "/etc/x", "/usr/x", "/var/runtime/x", "/var/lang/x"]
)
def test_everything_but_tmp_is_read_only(lambent: Lambent, runner: str, path: str) -> None:
    result = lambent.invoke(runner, f"open({path!r}, 'w')")
    assert result.error_object["errorType"] in ("OSError", "PermissionError")


def test_who_and_where_it_is(lambent: Lambent, runner: str) -> None:
    cwd, uid, gid, groups, home_entries, name = lambent.call(
        runner,
        "import os, pwd\n"
        "answer = [os.getcwd(), os.getuid(), os.getgid(), os.getgroups()]\n"
        "answer += [os.listdir('/var/task'), os.path.realpath('.')]",
    )
    assert cwd == name == "/var/task"
    assert uid >= 1000
    assert gid >= 900
    assert 0 not in groups
    assert "index.py" in home_entries


def test_nothing_of_the_host_is_there(lambent: Lambent, runner: str) -> None:
    shown_below_root = (
        "import os\n"
        "answer = [file for _, _, files in os.walk('/root') for file in files if '.so' not in file]"
    )
    seen = lambent.call(
        runner,
        "import os\n"
        f"paths = ['/etc/shadow', '/root', '/home', {str(lambent.data_dir)!r}, '/var/lib', '/sys/fs/cgroup']\n"
        "answer = [path for path in paths if os.path.exists(path) and (os.path.isfile(path) or os.listdir(path))]",
    )
    assert "/root" not in seen or lambent.call(runner, shown_below_root) == [], (
        "but an interpreter's libraries"
    )
    assert [path for path in seen if path != "/root"] == []
    processes = lambent.call(runner, "import os; answer = [p for p in os.listdir('/proc') if p.isdigit()]")
    assert len(processes) <= 3
    assert (
        lambent.call(runner, "import socket; answer = socket.gethostname()")
        != __import__("socket").gethostname()
    )


def test_its_variables(lambent: Lambent) -> None:
    name = lambent.python(
        "import os\ndef handler(event, context): return dict(os.environ)\n",
        Environment={"Variables": {"GREETING": "grüß dich \U0001f600", "EMPTY": "", "SPACED": " a b "}},
    )
    variables = lambent.call(name)
    assert variables["GREETING"] == "grüß dich \U0001f600"
    assert variables["EMPTY"] == ""
    assert variables["SPACED"] == " a b "
    fixed = {
        "_HANDLER": "index.handler",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{PYTHON}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_REGION": "us-east-1",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }
    assert {key: variables.get(key) for key in fixed} == fixed
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PATH"} <= variables.keys()
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert not [key for key in variables if key.startswith(("LAMBENT", "VIRTUAL_ENV", "PYTEST", "SSH"))]


@pytest.mark.parametrize(
    "reserved", ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME"]
)
def test_reserved_variables_are_refused(lambent: Lambent, reserved: str) -> None:
    with pytest.raises(ClientError) as refused:
        lambent.python(RUN, Environment={"Variables": {reserved: "mine"}})
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert f"Reserved keys used in this request: {reserved}" in refused.value.response["Error"]["Message"]


def test_variables_that_must_be_there_at_exec(lambent: Lambent) -> None:
    library_path = lambent.python(
        "import os\ndef handler(event, context):\n"
        "    return [os.environ['LD_LIBRARY_PATH'], open('/proc/self/environ').read().count('/opt/mine')]\n",
        Environment={"Variables": {"LD_LIBRARY_PATH": "/opt/mine"}},
    )
    assert lambent.call(library_path) == ["/opt/mine", 1]
    options = lambent.node(
        "export const handler = async () => [process.env.NODE_OPTIONS, Error.stackTraceLimit];",
        Environment={"Variables": {"NODE_OPTIONS": "--stack-trace-limit=3"}},
    )
    assert lambent.call(options) == ["--stack-trace-limit=3", 3]


def test_a_wrapper_script(lambent: Lambent) -> None:
    """It may set variables, the handler's among them, as those of observability layers do."""
    wrapper = '#!/bin/bash\nexport WRAPPED="by $0, not $_HANDLER" _HANDLER=index.wrapped\nexec "$@"\n'
    wrapped = {"Environment": {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/bin/wrapper"}}}
    python = lambent.deploy(
        {
            "index.py": "import os\ndef wrapped(event, context): return os.environ['WRAPPED']\n",
            "bin/wrapper": wrapper,
        },
        **wrapped,
    )
    assert lambent.call(python) == "by /var/task/bin/wrapper, not index.handler"
    node = lambent.deploy(
        {"index.mjs": "export const wrapped = async () => process.env.WRAPPED;", "bin/wrapper": wrapper},
        Runtime=NODE,
        **wrapped,
    )
    assert lambent.call(node) == "by /var/task/bin/wrapper, not index.handler"


@pytest.mark.parametrize(
    ("wrapper", "code", "said"),
    [
        ("/opt/nothere", 127, "does not exist"),
        ("nothere", 127, "does not exist"),
        ("/var/task/index.py", 126, "is not an executable"),
    ],
)
def test_a_wrapper_that_cannot_be_run(lambent: Lambent, wrapper: str, code: int, said: str) -> None:
    name = lambent.python(RUN, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": wrapper}})
    answer = lambent.invoke(name)
    assert answer.error_object["errorType"] == "Runtime.ExitError"
    assert answer.error_object["errorMessage"].endswith(
        f"Error: Runtime exited with error: exit status {code}"
    )
    assert f"{wrapper}: {said}\n" in answer.tail


def test_its_credentials_are_its_roles(lambent: Lambent) -> None:
    """A handler calls back with the boto3 of its own runtime, as what its role may do and not more."""
    role = lambent.make_role(lambent.new_name("caller"))
    role_name = role.rsplit("/", 1)[1]
    lambent.iam.put_role_policy(RoleName=role_name, PolicyName="allow", PolicyDocument=json.dumps(ALLOW))
    source = (
        "import boto3\nfrom botocore.exceptions import ClientError\n"
        "def handler(event, context):\n"
        "    identity = boto3.client('sts').get_caller_identity()\n"
        "    aws = boto3.client('lambda')\n"
        "    def tried(call, **parameters):\n"
        "        try: call(**parameters); return 'allowed'\n"
        "        except ClientError as error: return error.response['Error']\n"
        "    return [identity['Arn'], boto3.__file__, tried(aws.list_functions), tried(aws.get_account_settings)]\n"
    )
    name = lambent.python(source, Role=role, MemorySize=512, Timeout=30)
    arn, where, listed, settings = lambent.call(name)
    assert arn == f"arn:aws:sts::{lambent.account_id}:assumed-role/{role_name}/{name}"
    assert where.startswith("/var/runtime/")
    assert listed == "allowed"
    assert settings == {
        "Code": "AccessDeniedException",
        "Message": f"User: {arn} is not authorized to perform: lambda:GetAccountSettings on resource: * "
        "because no identity-based policy allows the lambda:GetAccountSettings action",
    }
    lambent.iam.delete_role_policy(RoleName=role_name, PolicyName="allow")
    refused = eventually(lambda: (answer := lambent.call(name)[2]) != "allowed" and answer)
    assert refused["Code"] == "AccessDeniedException"


def test_time_stands_still_between_invocations(lambent: Lambent) -> None:
    """A thread that a handler leaves behind gets no time while nobody calls."""
    name = lambent.python(
        "import threading, time\nticks = 0\n"
        "def tick():\n    global ticks\n    while True:\n        time.sleep(0.01)\n        ticks += 1\n"
        "threading.Thread(target=tick, daemon=True).start()\n"
        "def handler(event, context):\n    return ticks\n"
    )
    before = lambent.call(name)
    time.sleep(1.5)  # real time must pass for there to be any that the thread could have had
    assert lambent.call(name) - before < 60, "of 150 that it would have counted"


def test_the_user_has_a_name_and_a_home(lambent: Lambent) -> None:
    name = lambent.python(
        "import getpass, os\ndef handler(event, context):\n    return [os.path.expanduser('~'), getpass.getuser()]\n"
    )
    assert lambent.call(name) == ["/home/sbx_user1051", "sbx_user1051"]
    name = lambent.node("import os from 'node:os';\nexport const handler = async () => os.homedir();\n")
    assert lambent.call(name) == "/home/sbx_user1051"
