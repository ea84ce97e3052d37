from lambent.model.json_path import dynamic, resolved

EVENT = {"id": "m", "body": {"id": 7, "list": [1]}}


def test_parameters_may_be_paths():
    given = {"Group": "$.body.id", "Other": "$.body.nothing", "Static": "x", "List": ["$.id", "y", "$.none"]}
    assert resolved(given, EVENT) == {"Group": "7", "Static": "x", "List": ["m", "y"]}
    assert resolved("$.body.list", EVENT) == "[1]"
    assert list(dynamic(given)) == ["$.body.id", "$.body.nothing", "$.id", "$.none"]
    assert list(dynamic({"a": 1, "b": "x$"})) == []
