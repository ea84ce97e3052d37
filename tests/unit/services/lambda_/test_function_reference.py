import pytest

from lambent.model.error import ValidationException
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException
from lambent.services.lambda_.function_reference import parse_reference

HELLO = FunctionId("123456789012", "us-east-1", "hello")


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "function:hello",
        "123456789012:hello",
        "123456789012:function:hello",
        "us-east-1:123456789012:function:hello",
        "arn:aws:lambda:us-east-1:123456789012:function:hello",
    ],
)
@pytest.mark.parametrize("qualifier", [None, "$LATEST", "7", "prod"])
def test_all_forms_name_the_same_function(text: str, qualifier: str | None) -> None:
    beside = parse_reference(text, qualifier, "123456789012", "us-east-1")
    assert (beside.function, beside.qualifier, beside.arn) == (HELLO, qualifier, HELLO.arn(qualifier))
    if qualifier is not None:
        assert parse_reference(f"{text}:{qualifier}", None, "123456789012", "us-east-1") == beside
        assert parse_reference(f"{text}:{qualifier}", qualifier, "123456789012", "us-east-1") == beside


def test_a_qualifier_that_nothing_can_have_is_one_all_the_same() -> None:
    beside = parse_reference("hello", "$latest", "123456789012", "us-east-1")
    assert beside.arn == HELLO.arn("$latest")
    assert parse_reference(beside.arn, None, "123456789012", "us-east-1") == beside


def test_two_qualifiers_must_agree() -> None:
    with pytest.raises(InvalidParameterValueException, match="derived qualifier from the function name"):
        parse_reference("hello:1", "2", "123456789012", "us-east-1")


def test_regions_do_not_reach_into_each_other() -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:hello"
    with pytest.raises(
        ResourceNotFoundException,
        match=r"^Functions from 'eu-west-1' are not reachable in this region \('us-east-1'\)$",
    ):
        parse_reference(arn, None, "123456789012", "us-east-1")


def test_the_account_in_the_reference_counts() -> None:
    assert (
        parse_reference("999999999999:hello", None, "123456789012", "us-east-1").function.account_id
        == "9" * 12
    )


def test_arns_are_of_the_region_s_partition() -> None:
    arn = parse_reference("hello", None, "123456789012", "cn-north-1").arn
    assert arn == "arn:aws-cn:lambda:cn-north-1:123456789012:function:hello"


@pytest.mark.parametrize(
    "text", ["", "a b", "hello:", ":hello", "arn:aws:s3:::hello", "hello:1:2", "../hello", "hé"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationException):
        parse_reference(text, None, "123456789012", "us-east-1")


def test_latest_published_is_refused_by_name() -> None:
    with pytest.raises(InvalidParameterValueException, match="does not offer the qualifier"):
        parse_reference("hello", "$LATEST.PUBLISHED", "123456789012", "us-east-1")
