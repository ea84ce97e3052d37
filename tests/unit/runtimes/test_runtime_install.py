from pathlib import Path

from lambent.runtimes.install import RuntimeInstall
from lambent.runtimes.interpreters import Interpreter
from lambent.runtimes.registry import best_interpreters
from lambent.runtimes.variables import EXEC_TIME_NODEJS, EXEC_TIME_PYTHON, custom_variables, python_variables
from lambent.sandbox.port import Root

NODE = RuntimeInstall(
    identifier="nodejs22.x",
    kind="channel",
    interpreter=Path("/usr/bin/node"),
    version="22.20.0",
    root=Root(binds=()),
    argv=("/var/lang/bin/node", "--no-experimental-require-module", "/var/runtime/index.mjs"),
    static_variables={},
    exec_time_variables=EXEC_TIME_NODEJS,
    yielding_options={"--experimental-require-module": "--no-experimental-require-module"},
)


def test_a_wrapper_comes_before_the_command() -> None:
    assert NODE.command({}) == NODE.argv
    assert NODE.command({"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}) == ("/opt/wrap", *NODE.argv)


def test_node_options_take_back_what_the_runtime_turns_off() -> None:
    command = NODE.command({"NODE_OPTIONS": "--trace-warnings --experimental-require-module"})
    assert command == ("/var/lang/bin/node", "/var/runtime/index.mjs")


def test_variables_that_need_a_process_of_their_own() -> None:
    assert {"LD_PRELOAD", "AWS_LAMBDA_EXEC_WRAPPER"} <= EXEC_TIME_PYTHON & EXEC_TIME_NODEJS
    assert "PYTHONHASHSEED" in EXEC_TIME_PYTHON
    assert "PYTHONPATH" not in EXEC_TIME_PYTHON, "the bootstrap honours it later"
    assert {"NODE_OPTIONS", "NODE_EXTRA_CA_CERTS"} <= EXEC_TIME_NODEJS


def test_static_variables_are_awss() -> None:
    variables = python_variables("python3.11", 11)
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.11"
    assert (variables["TZ"], variables["LANG"]) == (":UTC", "en_US.UTF-8")
    assert variables["LD_LIBRARY_PATH"].endswith("/var/task:/var/task/lib:/opt/lib")
    assert "AWS_EXECUTION_ENV" not in custom_variables()


def _python(path: str, version: tuple[int, int, int], **rest: bool) -> Interpreter:
    return Interpreter(language="python", path=Path(path), prefix=Path("/"), version=version, **rest)


def test_of_several_interpreters_the_best_serves() -> None:
    found = [
        _python("/a", (3, 11, 2)),
        _python("/b", (3, 11, 9), tls=False),
        _python("/c", (3, 11, 7)),
        _python("/d", (3, 12, 0)),
        _python("/e", (3, 5, 0)),
        _python("/f", (3, 12, 0), preferred=True),
        Interpreter(language="nodejs", path=Path("/n"), prefix=Path("/"), version=(20, 1, 0)),
        Interpreter(language="nodejs", path=Path("/o"), prefix=Path("/"), version=(14, 1, 0)),
    ]
    best = best_interpreters(found)
    assert {name: str(interpreter.path) for name, interpreter in best.items()} == {
        "python3.11": "/c",
        "python3.12": "/f",
        "nodejs20.x": "/n",
    }
