"""What clients send back to go on with a list, or to name a task, can be made up by anybody: it is refused in the
service's own words, and never our failure."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.error import ServiceException
from lambent.services.cloudwatch import paging as cloudwatch
from lambent.services.ecr import pages as ecr
from lambent.services.events import pages as events
from lambent.services.iam import pages as iam
from lambent.services.kms import pages as kms
from lambent.services.lambda_ import paging as lambda_
from lambent.services.logs import tokens as logs
from lambent.services.s3 import listing
from lambent.services.sns import pages as sns
from lambent.services.sqs.move_tasks import read_task_handle

READERS: dict[str, Callable[[str], Any]] = {
    "cloudwatch": cloudwatch.number_of,
    "ecr": lambda token: ecr.position({"nextToken": token}),
    "events": lambda token: events.position({"NextToken": token}),
    "iam": lambda token: iam.position({"Marker": token}),
    "kms": lambda token: kms.page({"Marker": token}, [], str, "Keys", str),
    "lambda": lambda token: lambda_.position({"Marker": token}, tuple[str, int]),
    "logs": lambda token: logs.decode(token, tuple[bool, int, int]),
    "s3": listing.read_token,
    "sns": lambda token: sns.page(["a"], {"NextToken": token}),
    "sqs task": read_task_handle,
}


def _encoded(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


FORGED = st.one_of(
    st.text(),
    st.integers().map(str),
    st.binary().map(lambda raw: base64.b64encode(raw).decode()),
    st.lists(st.one_of(st.text(), st.integers(), st.booleans(), st.none())).map(_encoded),
    st.sampled_from(["é", "9" * 5000, base64.b64encode(b"[" * 100_000).decode(), _encoded([True, 2**64, 1])]),
)


@pytest.mark.parametrize("service", READERS)
@given(token=FORGED)
def test_no_forged_token_is_our_failure(service: str, token: str) -> None:
    try:
        READERS[service](token)
    except ServiceException as refused:
        assert refused.message
