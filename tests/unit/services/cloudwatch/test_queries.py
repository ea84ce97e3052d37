import pytest

from lambent.services.cloudwatch.queries import default_labels


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
        ([a_metric("a", "m", Label="mine"), a_metric("b", "m", "Minimum")], ["mine", "m Minimum"]),
        ([{"Id": "e", "Expression": "1"}, a_metric("a", "m")], ["e", "m"]),
    ],
)
def test_labels_say_by_what_the_metrics_of_a_request_differ(queries, labels):
    assert [label for (label,) in default_labels(queries).values()] == labels
