"""Metrics and alarms with boto3 and the AWS CLI, and what the server itself measures."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from lambent_cli import aws
from lambent_server import Lambent, eventually

HOUR = timedelta(hours=1)


@pytest.fixture
def cloudwatch(lambent: Lambent):
    return lambent.client("cloudwatch")


def between() -> dict[str, datetime]:
    now = datetime.now(UTC)
    return {"StartTime": now - HOUR, "EndTime": now + timedelta(minutes=1)}


def test_what_is_put_is_read(cloudwatch, lambent: Lambent) -> None:
    namespace = lambent.new_name("Shop")
    dimensions = [{"Name": "Page", "Value": "home"}]
    at = datetime.now(UTC) - timedelta(minutes=10)
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": "Hits", "Dimensions": dimensions, "Value": 4, "Unit": "Count", "Timestamp": at},
            {
                "MetricName": "Hits",
                "Dimensions": dimensions,
                "Values": [1, 2],
                "Counts": [2, 1],
                "Unit": "Count",
                "Timestamp": at,
            },
        ],
    )
    asked = {
        "Namespace": namespace,
        "MetricName": "Hits",
        "Dimensions": dimensions,
        "Period": 60,
        **between(),
    }
    (point,) = cloudwatch.get_metric_statistics(**asked, Statistics=["Sum", "SampleCount", "Maximum"])[
        "Datapoints"
    ]
    assert (point["Sum"], point["SampleCount"], point["Maximum"], point["Unit"]) == (8, 4, 4, "Count")
    (point,) = cloudwatch.get_metric_statistics(**asked, ExtendedStatistics=["p50"])["Datapoints"]
    assert point["ExtendedStatistics"] == {"p50": 1}
    (metric,) = cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
    assert metric == {"Namespace": namespace, "MetricName": "Hits", "Dimensions": dimensions}
    assert (
        cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "Page", "Value": "x"}])["Metrics"]
        == []
    )
    stat = {"Metric": metric, "Period": 60, "Stat": "Sum"}
    results = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {"Id": "m1", "MetricStat": stat, "ReturnData": False},
            {"Id": "e1", "Expression": "m1 * 10", "Label": "tenfold"},
        ],
        **between(),
    )["MetricDataResults"]
    assert [(one["Id"], one["Label"], one["Values"], one["StatusCode"]) for one in results] == [
        ("e1", "tenfold", [80.0], "Complete")
    ]


def test_what_is_refused(cloudwatch) -> None:
    def refused(operation: str, **parameters: object) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            getattr(cloudwatch, operation)(**parameters)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    asked = {"Namespace": "x", "MetricName": "y", **between()}
    assert refused("get_metric_statistics", **asked, Period=60) == (
        "InvalidParameterCombination",
        "Must specify either Statistics or ExtendedStatistics",
    )
    assert (
        refused("get_metric_statistics", **asked, Period=61, Statistics=["Sum"])[0] == "InvalidParameterValue"
    )
    long = {**asked, "StartTime": datetime.now(UTC) - timedelta(days=2)}
    code, message = refused("get_metric_statistics", **long, Period=60, Statistics=["Sum"])
    assert code == "InvalidParameterCombination"
    assert "exceeds the limit of 1,440" in message
    old = {"MetricName": "y", "Value": 1, "Timestamp": datetime.now(UTC) - timedelta(days=15)}
    assert refused("put_metric_data", Namespace="x", MetricData=[old])[0] == "InvalidParameterValue"
    both = {"MetricName": "y", "Value": 1, "Values": [1]}
    assert refused("put_metric_data", Namespace="x", MetricData=[both])[0] == "InvalidParameterCombination"
    statistics = {"SampleCount": 3, "Sum": 4, "Minimum": 1, "Maximum": 2}
    cloudwatch.put_metric_data(  # AWS takes these two together
        Namespace="x", MetricData=[{"MetricName": "y", "StatisticValues": statistics, "Values": [1]}]
    )
    no_number = {"MetricName": "y", "Value": float("nan")}
    assert refused("put_metric_data", Namespace="x", MetricData=[no_number]) == (
        "InvalidParameterValue",
        "The value NaN for parameter MetricData.member.1.Value is invalid.",
    )
    now = datetime.now(UTC).replace(microsecond=0)
    stat = {"Metric": {"Namespace": "x", "MetricName": "y"}, "Period": 60, "Stat": "Sum"}
    data = {"MetricDataQueries": [{"Id": "m1", "MetricStat": stat}]}
    assert refused("get_metric_data", **data, StartTime=now, EndTime=now - HOUR) == (
        "ValidationError",
        "The parameter EndTime must be greater than StartTime.",
    )
    moment = timedelta(milliseconds=900)
    assert refused("get_metric_data", **data, StartTime=now, EndTime=now + moment) == (
        "ValidationError",
        "The parameter StartTime must not equal parameter EndTime.",
    )
    assert refused("get_metric_data", MetricDataQueries=[{"Id": "m1"}], **between()) == (
        "ValidationError",
        "The parameter MetricDataQueries.member.1.MetricStat is required.\n",
    )
    wrong = [{"Id": "e1", "Expression": "m9 + 1"}]
    assert refused("get_metric_data", MetricDataQueries=wrong, **between())[0] == "InvalidParameterValue"
    assert refused("delete_alarms", AlarmNames=["nobody"])[0] == "ResourceNotFound"


def test_metrics_of_a_name_are_queried_together(cloudwatch, lambent: Lambent) -> None:
    namespace = lambent.new_name("Shop")
    at = datetime.now(UTC) - timedelta(minutes=10)
    for zone, host, value in (("a", "x", 1), ("a", "y", 2), ("b", "z", 5)):
        dimensions = [{"Name": "Zone", "Value": zone}, {"Name": "Host", "Value": host}]
        datum = {"MetricName": "Load", "Dimensions": dimensions, "Value": value, "Timestamp": at}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    query = f"SELECT SUM(Load) FROM \"{namespace}\" WHERE Host != 'y' GROUP BY Zone ORDER BY SUM() DESC"
    results = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {"Id": "q", "Expression": query, "Period": 60},
            {"Id": "e", "Expression": "SUM(q)", "Label": "all"},
            {"Id": "s", "Expression": f"SEARCH('{{{namespace},Host,Zone}} Zone=a', 'Sum', 60)"},
            {  # as Grafana asks
                "Id": "g",
                "Expression": f"""REMOVE_EMPTY(SEARCH('{{"{namespace}","Host","Zone"}} MetricName="Load" """
                """"Host"=("y" OR "z")', 'Sum', 60))""",
                "Label": "${LABEL}|&|${PROP('Dim.Host')}",
            },
        ],
        **between(),
    )["MetricDataResults"]
    assert [(one["Id"], one["Label"], one["Values"]) for one in results] == [
        ("q", "b", [5.0]),
        ("q", "a", [1.0]),
        ("e", "all", [6.0]),
        ("s", "x a Load", [1.0]),
        ("s", "y a Load", [2.0]),
        ("g", "y a Load|&|y", [2.0]),
        ("g", "z b Load|&|z", [5.0]),
    ]


def test_units_are_not_added_up(cloudwatch, lambent: Lambent) -> None:
    namespace, at = lambent.new_name("Shop"), datetime.now(UTC) - timedelta(minutes=10)
    for unit, value in (("Seconds", 1), ("Milliseconds", 60_000)):
        datum = {"MetricName": "Time", "Unit": unit, "Value": value, "Timestamp": at}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    stat = {"Metric": {"Namespace": namespace, "MetricName": "Time"}, "Period": 60, "Stat": "Sum"}
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "m1", "MetricStat": stat}], **between())[
        "MetricDataResults"
    ]
    assert result["Values"] == [60_000.0]
    assert result["Messages"] == [
        {"Code": "MultipleUnits", "Value": "Multiple units returned: '[Milliseconds, Seconds]'"}
    ]


def test_dashboards_are_kept(lambent: Lambent, cloudwatch) -> None:
    name, body = lambent.new_name("shop"), json.dumps({"widgets": []})
    assert (
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody="{}")["DashboardValidationMessages"] == []
    )
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body)
    arn = f"arn:aws:cloudwatch::{lambent.account_id}:dashboard/{name}"
    got = cloudwatch.get_dashboard(DashboardName=name)
    assert (got["DashboardArn"], got["DashboardBody"], got["DashboardName"]) == (arn, body, name)
    (listed,) = cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    assert (listed["DashboardArn"], listed["Size"]) == (arn, len(body))
    with pytest.raises(ClientError, match="must be a valid JSON object") as error:
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody="[]")
    assert error.value.response["Error"]["Code"] == "InvalidParameterInput"
    with pytest.raises(ClientError, match=r"The specified dashboard does not exist\. \[no\]"):
        cloudwatch.delete_dashboards(DashboardNames=[name, "no"])
    cloudwatch.delete_dashboards(DashboardNames=[name])
    with pytest.raises(ClientError, match=f"Dashboard {name} does not exist") as error:
        cloudwatch.get_dashboard(DashboardName=name)
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"


def test_invocations_are_measured(lambent: Lambent, cloudwatch) -> None:
    name = lambent.python("def handler(event, context):\n    if event == 'fail': raise ValueError(event)\n")
    for event in ("a", "b", "fail"):
        lambent.invoke(name, event)

    def measured(metric: str, statistic: str) -> float:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            Period=3600,
            Statistics=[statistic],
            **between(),
        )["Datapoints"]
        return sum(point[statistic] for point in points)

    eventually(lambda: measured("Invocations", "Sum") == 3)
    assert measured("Errors", "Sum") == 1
    assert measured("Duration", "Maximum") > 0
    start, end = (moment.isoformat() for moment in between().values())
    told = aws(
        lambent,
        *("cloudwatch", "get-metric-statistics", "--namespace", "AWS/Lambda", "--metric-name", "Invocations"),
        *("--dimensions", f"Name=FunctionName,Value={name}", "--period", "3600", "--statistics", "Sum"),
        *("--start-time", start, "--end-time", end),
    )
    assert sum(point["Sum"] for point in told["Datapoints"]) == 3


def test_an_alarm_tells_a_topic_and_a_function(lambent: Lambent, cloudwatch) -> None:
    sns, sqs, lambda_ = (lambent.client(service) for service in ("sns", "sqs", "lambda"))
    topic = sns.create_topic(Name=lambent.new_name("alarms"))["TopicArn"]
    queue = sqs.create_queue(QueueName=lambent.new_name("told"))["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    may = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    sqs.set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [may]})}
    )
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"}
    )
    function = lambent.python(
        "def handler(event, context):\n    print('ALARM DATA', event['alarmData']['state']['value'])\n"
    )
    lambda_.add_permission(
        FunctionName=function,
        StatementId="alarms",
        Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
    )
    name, namespace = lambent.new_name("alarm"), lambent.new_name("Shop")
    for minutes in (1, 2, 3):
        datum = {
            "MetricName": "Errors",
            "Value": 9,
            "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes),
        }
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    arn = f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{function}"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic, arn],
        Tags=[{"Key": "team", "Value": "a"}],
    )

    def alarm() -> dict:
        return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]

    told = eventually(lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2).get("Messages"))
    message = json.loads(told[0]["Body"])
    assert (message["AlarmName"], message["NewStateValue"], message["OldStateValue"]) == (
        name,
        "ALARM",
        "INSUFFICIENT_DATA",
    )
    assert message["Trigger"]["MetricName"] == "Errors"
    eventually(lambda: "ALARM DATA ALARM\n" in lambent.log_lines(f"/aws/lambda/{function}"))
    assert alarm()["StateReason"].startswith("Threshold Crossed: 1 datapoint [9.0 (")
    assert message["NewStateReason"] == alarm()["StateReason"]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="by hand")
    assert (alarm()["StateValue"], alarm()["StateReason"]) == ("OK", "by hand")

    def history(kind: str) -> list[str]:
        items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType=kind)["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items]

    assert history("ConfigurationUpdate") == [f'Alarm "{name}" created']
    assert history("StateUpdate") == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
    ]
    done = {f"Successfully executed action {action}" for action in (topic, arn)}
    eventually(lambda: set(history("Action")) == done)
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm()["AlarmArn"])["Tags"] == [
        {"Key": "team", "Value": "a"}
    ]
    found = cloudwatch.describe_alarms_for_metric(Namespace=namespace, MetricName="Errors")["MetricAlarms"]
    assert [one["AlarmName"] for one in found] == [name]
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    assert alarm()["ActionsEnabled"] is False
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []
