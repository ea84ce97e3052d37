import pytest

from lambent.model.bucket import Bucket
from lambent.model.error import ServiceException
from lambent.services.s3.cors import check_cors, cors_headers, matching_rule


def bucket(*rules):
    return Bucket(
        name="b",
        account_id="1",
        region="us-east-1",
        created_at=1.0,
        configurations={"CORSConfiguration": {"CORSRules": list(rules)}},
    )


def rule(origins=("*",), methods=("GET",), **members):
    return {"AllowedOrigins": list(origins), "AllowedMethods": list(methods), **members}


@pytest.mark.parametrize(
    ("origins", "origin", "expected"),
    [
        (["*"], "https://a.example", True),
        (["https://a.example"], "https://a.example", True),
        (["https://*.example"], "https://a.example", True),
        (["https://*.example"], "https://.example", True),
        (["https://*.example"], "https://a.example.org", False),
        (["https://a.example"], "http://a.example", False),
    ],
)
def test_origins(origins, origin, expected):
    assert (matching_rule(bucket(rule(origins)), origin, "GET") is not None) is expected


def test_the_first_rule_that_allows_all_of_it():
    plain, wide = rule(ID="plain"), rule(methods=["GET", "PUT"], AllowedHeaders=["x-*"], ID="wide")
    both = bucket(plain, wide)
    assert matching_rule(both, "o", "GET")["ID"] == "plain"
    assert matching_rule(both, "o", "GET", ["X-Amz-Date"])["ID"] == "wide"
    assert matching_rule(both, "o", "PUT", ["content-type"]) is None
    assert matching_rule(both, "o", "DELETE") is None


def test_credentials_only_for_named_origins():
    assert ("Access-Control-Allow-Origin", "*") in cors_headers(rule(), "https://a")
    named = dict(cors_headers(rule(["https://a"]), "https://a"))
    assert named["Access-Control-Allow-Origin"] == "https://a"
    assert named["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([], "not well-formed"),
        ([rule()] * 101, "not well-formed"),
        ([rule(methods=[])], "not well-formed"),
        ([rule(methods=["OPTIONS"])], "Unsupported method is OPTIONS"),
        ([rule(["*a*"])], "can not have more than one wildcard"),
        ([rule(AllowedHeaders=["*x*"])], "can not have more than one wildcard"),
        ([rule(ExposeHeaders=["x-*"])], "do not support wildcard for ExposeHeader"),
    ],
)
def test_rules_that_are_refused(rules, message):
    with pytest.raises(ServiceException, match=message):
        check_cors({"CORSRules": rules})
