from pathlib import Path

import pytest

from lambent.runtimes import sdk_use
from lambent.runtimes.sdk_use import uses_sdk


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text("import json\n")
    (tmp_path / "inner").mkdir()
    return tmp_path


@pytest.mark.parametrize("source", ["import boto3", "from botocore.config import Config"])
def test_a_function_that_names_it_anywhere_uses_it(tree, source):
    assert not uses_sdk([tree])
    (tree / "inner/module.py").write_text(f"{source}\n")
    assert uses_sdk([tree])
    assert uses_sdk([tree / "nothing here", tree])


@pytest.mark.parametrize("package", ["boto3", "urllib3", "certifi"])
def test_one_that_has_its_own_or_a_part_of_it_does_not(tree, package):
    (tree / "app.py").write_text("import boto3\n")
    layer = tree / "layer"
    (layer / "python" / package).mkdir(parents=True)
    assert not uses_sdk([tree, layer])


def test_what_is_far_down_a_file_or_no_source_is_not_looked_at(tree, monkeypatch):
    monkeypatch.setattr(sdk_use, "_BYTES_MOST", 8)
    (tree / "app.py").write_text("import json, boto3\n")
    (tree / "notes.txt").write_text("boto3\n")
    assert not uses_sdk([tree])
