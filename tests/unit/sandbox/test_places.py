import pytest

from lambent.sandbox.places import Places

PLACES = Places(
    {
        "/var/task": "/opt/data/sandboxes/processes/ab12/var/task",
        "/opt": "/opt/data/sandboxes/processes/ab12/opt",
        "/var/lang": "/opt/data/sandboxes/links/r/var/lang",
        "/var/lang/lib/python3.11": "/opt/data/sandboxes/links/r/lib",
        "127.0.0.1:9001": "127.0.0.1:43210",
    },
    kept="/opt/data/sandboxes",
)


@pytest.mark.parametrize(
    ("text", "translated"),
    [
        ("/var/task", "/opt/data/sandboxes/processes/ab12/var/task"),
        ("/var/task/lib", "/opt/data/sandboxes/processes/ab12/var/task/lib"),
        ("/usr/bin:/opt/bin", "/usr/bin:/opt/data/sandboxes/processes/ab12/opt/bin"),
        ("/var/lang/lib/python3.11/os.py", "/opt/data/sandboxes/links/r/lib/os.py"),
        ("/var/lang/lib/libz.so", "/opt/data/sandboxes/links/r/var/lang/lib/libz.so"),
        ('-cp "/opt/lib/*"', '-cp "/opt/data/sandboxes/processes/ab12/opt/lib/*"'),
        ("http://127.0.0.1:9001/2018-06-01", "http://127.0.0.1:43210/2018-06-01"),
    ],
)
def test_what_is_written_for_the_inside(text: str, translated: str) -> None:
    assert PLACES.in_text(text) == translated
    assert PLACES.in_text(translated) == translated, "what was translated stays"


@pytest.mark.parametrize(
    "text", ["/var/tasks", "/srv/var/task", "/options", "/var/task-2", "127.0.0.1:90010", "/optional/bin", ""]
)
def test_what_only_looks_like_it(text: str) -> None:
    assert PLACES.in_text(text) == text


def test_names_of_variables_stay() -> None:
    assert PLACES.in_values({"/opt": "/opt/x", "A": "b"}) == {
        "/opt": "/opt/data/sandboxes/processes/ab12/opt/x",
        "A": "b",
    }
