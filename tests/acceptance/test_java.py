"""Java functions on AWS's own runtime interface client, compiled here against its interfaces."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lambent_server import Lambent, eventually

from lambent.base.ids import new_token
from lambent.runtimes.java_client import CLIENT_COMMAND, find_client

SOURCE = """package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Scanner;

public class Handler implements RequestHandler<Map<String, Object>, Object> {
    static int count = 0;

    public Object handleRequest(Map<String, Object> event, Context context) {
        context.getLogger().log("handling " + event.get("name") + "\\n");
        System.out.println("printed");
        if ("fail".equals(event.get("name"))) throw new IllegalStateException("no such name");
        if ("exit".equals(event.get("name"))) System.exit(3);
        if ("lines".equals(event.get("name"))) context.getLogger().log("one\\ntwo");
        if ("surroundings".equals(event.get("name"))) return surroundings();
        return Map.of("hello", event.get("name"), "id", context.getAwsRequestId(), "count", ++count,
            "memory", context.getMemoryLimitInMB(), "task", System.getenv("LAMBDA_TASK_ROOT"));
    }

    static Map<String, Object> surroundings() {
        try {
            Process child = new ProcessBuilder("/bin/sh", "-c", "echo $GREETING").start();
            return Map.of("getenv", System.getenv("GREETING"), "map", System.getenv().get("GREETING"),
                "names", System.getenv().size() > 10, "child", text(child.getInputStream()),
                "relative", text(new FileInputStream("notes.txt")), "directory", new File(".").getAbsolutePath(),
                "heap", Runtime.getRuntime().maxMemory() >> 20, "arguments", System.getProperty("sun.java.command"));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static String text(java.io.InputStream stream) {
        return new Scanner(stream, "UTF-8").useDelimiter("\\\\A").next();
    }
}
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    for tool in ("javac", "mvn"):
        if shutil.which(tool) is None:
            pytest.skip(f"no Java here: {tool} is missing")
    if find_client(Path.home()) is None:
        subprocess.run(["/bin/sh", "-c", f"{CLIENT_COMMAND} -q"], check=True, timeout=300)
    client = find_client(Path.home())
    assert client is not None
    directory = tmp_path_factory.mktemp("java")
    source = directory / "Handler.java"
    source.write_text(SOURCE)
    jars = ":".join(str(jar) for jar in client.jars)
    classes = directory / "classes"
    subprocess.run(["javac", "--release", "17", "-cp", jars, "-d", str(classes), str(source)], check=True)
    found = {str(file.relative_to(classes)): file.read_bytes() for file in classes.rglob("*.class")}
    return {**found, "notes.txt": b"of mine"}


@pytest.fixture(scope="module")
def name(new_server_of_module: Lambent, package: dict[str, bytes]) -> str:
    return new_server_of_module.deploy(
        package, Runtime="java17", Handler="example.Handler::handleRequest", MemorySize=512, Timeout=30
    )


@pytest.fixture(scope="module")
def new_server_of_module(package: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Lambent:
    """Started when the client is there: interpreters are looked for once."""
    running = Lambent.start(tmp_path_factory.mktemp("lambent-java"))
    yield running
    assert running.stop() == 0, running.log[-3000:]
    assert not running.leftovers()


def test_it_answers_and_is_reused(new_server_of_module: Lambent, name: str) -> None:
    for count in (1, 2):
        result = new_server_of_module.invoke(name, {"name": "world"})
        assert result.value == {
            "hello": "world",
            "id": result.request_id,
            "count": count,
            "memory": 512,
            "task": "/var/task",
        }
    lines = eventually(
        lambda: (
            (found := new_server_of_module.log_lines(f"/aws/lambda/{name}"))
            and "REPORT" in found[-1]
            and found
        )
    )
    assert lines.count("handling world\n") == 2
    assert lines.count("printed\n") == 2


def test_errors_are_the_clients(new_server_of_module: Lambent, name: str) -> None:
    error = new_server_of_module.invoke(name, {"name": "fail"}).error_object
    assert (error["errorType"], error["errorMessage"]) == ("java.lang.IllegalStateException", "no such name")
    assert "example.Handler.handleRequest" in error["stackTrace"][0]
    ended = new_server_of_module.invoke(name, {"name": "exit"})
    assert ended.error_object["errorType"] == "Runtime.ExitError"
    assert new_server_of_module.invoke(name, {"name": "again"}).value["count"] == 1


def test_a_class_that_is_not_there(new_server_of_module: Lambent, package: dict[str, bytes]) -> None:
    missing = new_server_of_module.deploy(
        package, Runtime="java17", Handler="example.Nobody::handleRequest", MemorySize=512, Timeout=30
    )
    error = new_server_of_module.invoke(missing, {}).error_object
    assert error["errorType"] == "java.lang.ClassNotFoundException"


@pytest.mark.parametrize(
    ("variables", "command"),
    [({}, "lambent.Launcher"), ({"JAVA_TOOL_OPTIONS": "-Dset=1"}, "AWSLambda")],
    ids=["from a blank", "started for the function"],
)
def test_what_surrounds_it_is_the_same_from_a_blank(
    new_server_of_module: Lambent, package: dict[str, bytes], variables: dict[str, str], command: str
) -> None:
    name = new_server_of_module.deploy(
        package,
        Runtime="java17",
        Handler="example.Handler::handleRequest",
        MemorySize=768,
        Timeout=30,
        Environment={"Variables": {"GREETING": "grüß dich", **variables}},
    )

    def surroundings() -> dict[str, Any] | None:
        """Of a new environment; None if there was no blank for it yet."""
        server = new_server_of_module
        server.lambda_.update_function_configuration(FunctionName=name, Description=new_token(8))
        server.wait_active(name)
        found = server.invoke(name, {"name": "surroundings"}).value
        return found if command in found.pop("arguments") else None

    found = eventually(surroundings, seconds=60.0)
    assert abs(found.pop("heap") - 768 * 7 // 10) < 30
    assert found == {
        "getenv": "grüß dich",
        "map": "grüß dich",
        "names": True,
        "child": "grüß dich\n",
        "relative": "of mine",
        "directory": "/var/task/.",
    }


def test_what_is_logged_at_once_is_one_event(new_server_of_module: Lambent, name: str) -> None:
    new_server_of_module.invoke(name, {"name": "lines"})
    assert eventually(
        lambda: "one\ntwo" in new_server_of_module.log_lines(f"/aws/lambda/{name}"),
    )
