import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.tally import MetricKey
from lambent.services.cloudwatch.expression_values import ExpressionError
from lambent.services.cloudwatch.metric_search import parse_search


def a_metric(name, namespace="AWS/Lambda", **dimensions):
    return MetricKey(
        account_id="1",
        region="r",
        namespace=namespace,
        name=name,
        dimensions=tuple(sorted(dimensions.items())),
    )


METRICS = {
    "errors": a_metric("Errors", FunctionName="orders-prod"),
    "test errors": a_metric("Errors", FunctionName="OrdersTest"),
    "invocations": a_metric("Invocations", FunctionName="orders-prod"),
    "all errors": a_metric("Errors"),
    "of a version": a_metric("Errors", FunctionName="orders-prod", Resource="orders-prod:1"),
    "cpu": a_metric("CPUUtilization", "AWS/EC2", InstanceId="i-1"),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{AWS/Lambda,FunctionName} MetricName="Errors"', {"errors", "test errors"}),
        ("{AWS/Lambda,FunctionName} Errors orders prod", {"errors"}),
        ('{AWS/Lambda,FunctionName} MetricName="Errors" AND NOT FunctionName=prod', {"test errors"}),
        ("{AWS/Lambda,FunctionName} (test OR Invocations)", {"test errors", "invocations"}),
        ("{AWS/Lambda}", {"all errors"}),
        ('{"AWS/Lambda", Resource, FunctionName}', {"of a version"}),
        ("cpu", {"cpu"}),
        ("MetricName=utilization OR Invocations", {"cpu", "invocations"}),
        ('Namespace="AWS/EC2"', {"cpu"}),
        ('"orders"', set()),
        ('FunctionName="OrdersTest"', {"test errors"}),
        ('MetricName="Errors" "FunctionName"=("OrdersTest" OR "other")', {"test errors"}),
    ],
)
def test_what_is_found(text, found):
    search = parse_search(text)
    assert {
        name
        for name, metric in METRICS.items()
        if search.namespace in (None, metric.namespace) and search.matches(metric)
    } == found


@pytest.mark.parametrize(
    "text", ["", "(a", "a)", "a AND", "NOT", "a =", "= b", "{a} }", "a=(b", "a=()", "a=(b c)", "(" * 900]
)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(ExpressionError):
        parse_search(text)


@given(st.text(alphabet='ANDORT(){}=", ab', max_size=50))
def test_any_text_is_a_search_or_refused(text):
    try:
        found = parse_search(text)
    except ExpressionError:
        return
    assert [found.matches(metric) in (True, False) for metric in METRICS.values()]
