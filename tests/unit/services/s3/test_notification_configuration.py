import pytest

from lambent.model.bucket import Bucket
from lambent.model.error import ServiceException
from lambent.services.s3.events import wants
from lambent.services.s3.notification_configuration import check_notifications

BUCKET = Bucket(name="b", account_id="111122223333", region="us-east-1", created_at=1.0)
QUEUE = "arn:aws:sqs:us-east-1:111122223333:q"


def one(arn=QUEUE, events=("s3:ObjectCreated:*",), **filters):
    rules = [{"Name": name, "Value": value} for name, value in filters.items()]
    made = {"QueueArn": arn, "Events": list(events)}
    return made | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def test_ids_are_given_and_names_are_spelled_as_aws_does():
    checked = check_notifications({"QueueConfigurations": [one(prefix="a", SUFFIX=".b")]}, BUCKET)
    (made,) = checked["QueueConfigurations"]
    assert made["Id"]
    assert [rule["Name"] for rule in made["Filter"]["Key"]["FilterRules"]] == ["Prefix", "Suffix"]
    assert check_notifications({}, BUCKET) == {}
    assert check_notifications({"EventBridgeConfiguration": {}}, BUCKET) == {"EventBridgeConfiguration": {}}


@pytest.mark.parametrize(
    ("configurations", "message"),
    [
        ([one("invalid")], "The ARN could not be parsed"),
        ([one("arn:aws:sns:us-east-1:111122223333:t")], "The ARN could not be parsed"),
        ([one("arn:aws:sqs:eu-west-1:111122223333:q")], "region is not valid for the bucket"),
        ([one(QUEUE + ".fifo")], "FIFO SQS queues are not supported"),
        ([one(INVALID="x")], "filter rule name must be either prefix or suffix"),
        ([one(prefix="a", Prefix="b")], "Cannot specify more than one prefix or suffix rule"),
        ([one(), one(prefix="a")], "Configurations overlap"),
        ([one(prefix="a", suffix=".x"), one(prefix="ab", suffix="y.x")], "Configurations overlap"),
        ([one() | {"Id": "i"}, one(events=["s3:ObjectRemoved:*"]) | {"Id": "i"}], "Same ID used"),
    ],
)
def test_configurations_that_are_refused(configurations, message):
    with pytest.raises(ServiceException, match=message):
        check_notifications({"QueueConfigurations": configurations}, BUCKET)


def test_what_does_not_overlap_is_taken():
    both = [one(prefix="a"), one(prefix="b"), one(events=["s3:ObjectRemoved:Delete"])]
    assert len(check_notifications({"QueueConfigurations": both}, BUCKET)["QueueConfigurations"]) == 3


@pytest.mark.parametrize(
    ("events", "filters", "expected"),
    [
        (["s3:ObjectCreated:*"], {}, True),
        (["s3:ObjectCreated:Put"], {}, True),
        (["s3:ObjectCreated:Copy"], {}, False),
        (["s3:ObjectRemoved:*"], {}, False),
        (["s3:ObjectCreated:*"], {"Prefix": "in/"}, True),
        (["s3:ObjectCreated:*"], {"Suffix": ".png"}, False),
        (["s3:ObjectCreated:*"], {"prefix": "in/", "suffix": ".jpg"}, True),
    ],
)
def test_which_events_a_configuration_is_of(events, filters, expected):
    assert wants(one(events=events, **filters), "ObjectCreated:Put", "in/a.jpg") is expected
