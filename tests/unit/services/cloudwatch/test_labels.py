import pytest

from lambent.services.cloudwatch.labels import About, default_labels, label_of


def a_metric(id, name, stat="Sum", period=60, **members):
    return {
        "Id": id,
        "MetricStat": {"Metric": {"MetricName": name}, "Stat": stat, "Period": period},
        **members,
    }


@pytest.mark.parametrize(
    ("queries", "labels"),
    [
        ([a_metric("a", "m")], ["m"]),
        ([a_metric("a", "m"), a_metric("b", "n")], ["m", "n"]),
        ([a_metric("a", "m"), a_metric("b", "m", "Minimum")], ["m Sum", "m Minimum"]),
        ([a_metric("a", "m"), a_metric("b", "m", period=30)], ["m 60", "m 30"]),
        ([a_metric("a", "m"), a_metric("b", "m", "Minimum", 30)], ["m Sum 60", "m Minimum 30"]),
        ([{"Id": "e", "Expression": "1"}, a_metric("a", "m")], ["e", "m"]),
    ],
)
def test_labels_say_by_what_the_metrics_of_a_request_differ(queries, labels):
    assert list(default_labels(queries).values()) == labels


HELLO = About("hello Errors", {"Dim.FunctionName": "hello", "MetricName": "Errors", "Stat": "Sum"})


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (None, "hello Errors"),
        ("all", "all"),
        ("${LABEL}|&|${PROP('Dim.FunctionName')}|&|${PROP('Stat')}", "hello Errors|&|hello|&|Sum"),
        ("${PROP('MetricName')} of ${PROP('Dim.Other')}.", "Errors of ."),
        ("${MIN} to ${MAX}, ${MIN_MAX_RANGE} apart", "0.25 to 8, 7.75 apart"),
        ("${FIRST}, ${LAST}, ${FIRST_LAST_RANGE}", "8, 0.25, -7.75"),
        ("${SUM} of ${DATAPOINT_COUNT}, ${AVG}", "12.25 of 3, 4.083333333"),
        ("${MAX_TIME} ${nothing}", "${MAX_TIME} ${nothing}"),
    ],
)
def test_a_label_is_completed(given, label):
    assert label_of(given, HELLO, {120: 0.25, 0: 8.0, 60: 4.0}, is_one_of_many=False) == label


def test_one_of_many_is_told_apart():
    assert label_of("mine", HELLO, {}, is_one_of_many=True) == "mine hello Errors"
    assert label_of("${PROP('Stat')}: ${MAX}", HELLO, {}, is_one_of_many=True) == "Sum: --"
