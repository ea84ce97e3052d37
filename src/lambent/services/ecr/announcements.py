"""What ECR tells others: EventBridge of images that were pushed or deleted, CloudWatch of pulls.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html and ecr-repository-metrics.html
"""

import json
import logging
from collections.abc import Sequence
from typing import Literal

from lambent.base.arn import partition_of
from lambent.model.caller import Parameters, service_caller
from lambent.model.error import ServiceException
from lambent.model.metric import Metrics
from lambent.model.repository import Repository
from lambent.model.service import Client

log = logging.getLogger(__name__)

_ENTRIES_MOST = 10


class Announcements:
    def __init__(self, client: Client, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics

    def pulled(self, repository: Repository) -> None:
        self._metrics.put(
            repository.account_id,
            repository.region,
            "AWS/ECR",
            "RepositoryPullCount",
            1,
            unit="Count",
            dimensions={"RepositoryName": repository.name},
        )

    async def changed(
        self, repository: Repository, action: Literal["PUSH", "DELETE"], image_ids: Sequence[Parameters]
    ) -> None:
        """As AWS does, as well as it goes: what was done stays done where nobody could be told."""
        partition = partition_of(repository.region)
        ecr = service_caller(
            "ecr.amazonaws.com",
            account_id=repository.account_id,
            region=repository.region,
            source_arn=repository.arn(partition),
            partition=partition,
        )
        entries = [_entry(repository, action, image_id) for image_id in image_ids]
        for first in range(0, len(entries), _ENTRIES_MOST):
            try:
                asked = {"Entries": entries[first : first + _ENTRIES_MOST]}
                await self._client("events", "PutEvents", ecr, asked)
            except ServiceException as error:
                log.warning("EventBridge was not told of images in %s: %s", repository.arn(partition), error)


def _entry(repository: Repository, action: str, image_id: Parameters) -> Parameters:
    detail = {
        "result": "SUCCESS",
        "repository-name": repository.name,
        "image-digest": image_id["imageDigest"],
        "action-type": action,
    }
    if "imageTag" in image_id:
        detail["image-tag"] = image_id["imageTag"]
    return {"Source": "aws.ecr", "DetailType": "ECR Image Action", "Detail": json.dumps(detail)}
