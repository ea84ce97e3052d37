"""Lifecycle policies: what they say, and what they expire."""

import json

import pytest
from images import Image, tar_of

from lambent.model.repository import RegistryImage
from lambent.services.ecr.errors import (
    InvalidParameterException,
    LifecyclePolicyNotFoundException,
    LifecyclePolicyPreviewNotFoundException,
)
from lambent.services.ecr.lifecycle import Lifecycle
from lambent.services.ecr.lifecycle_rules import expired, parse_lifecycle_policy

DAY = 86_400.0
NAMED = {"repositoryName": "app"}


def rule(priority=1, status="any", count=1, **selection):
    counted = {"countType": "imageCountMoreThan"} | selection
    return {
        "rulePriority": priority,
        "selection": {"tagStatus": status, "countNumber": count, **counted},
        "action": {"type": "expire"},
    }


def since(days, **selection):
    return rule(count=days, countType="sinceImagePushed", countUnit="days", **selection)


def policy(*rules):
    return json.dumps({"rules": list(rules)})


def of(rules, *images, now=100 * DAY):
    """The names that go of images: (name, day of the push, tags)."""
    records = {
        name: RegistryImage(
            digest=name, manifest="", media_type="", artifact_type=None, size=0, pushed_at=day * DAY
        )
        for name, day, *_ in images
    }
    tags = {name: list(tags) for name, _, *tags in images if tags}
    return expired(parse_lifecycle_policy(policy(*rules)), records, tags, now)


@pytest.mark.parametrize(
    ("rules", "gone"),
    [
        ([rule(count=2)], {"a": 1, "b": 1}),
        ([rule(count=9)], {}),
        ([since(30)], {"a": 1, "b": 1}),
        ([rule(status="untagged")], {"b": 1}),
        ([rule(status="tagged", tagPrefixList=["v"])], {"a": 1}),
        ([rule(status="tagged", tagPrefixList=["v", "prod"])], {"a": 1}),
        ([rule(status="tagged", tagPrefixList=["v", "none"])], {}),
        ([rule(status="tagged", tagPatternList=["v*", "p?od-*"])], {"a": 1}),
        ([rule(status="tagged", tagPatternList=["v*", "p?od"])], {}),
        ([since(5, status="tagged", tagPatternList=["*"])], {"a": 1}),
        ([rule(1, "tagged", 1, tagPrefixList=["only"]), rule(2)], {"b": 2, "c": 2}),
        ([rule(1, "untagged"), rule(5, count=3)], {"b": 1, "a": 5}),
    ],
)
def test_rules_expire_images(rules, gone):
    images = [("a", 10, "v1", "prod-1", "only"), ("b", 20), ("c", 90), ("d", 95, "v2", "prod-2")]
    assert of(rules, *images) == gone


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "{}",
        policy(),
        policy(rule(), rule()),
        policy(rule(1), rule(2, "untagged")),
        policy(rule(status="tagged")),
        policy(rule(status="some")),
        policy(rule(count=0)),
        policy(rule(countUnit="days")),
        policy(rule(countType="sinceImagePushed")),
        policy(rule() | {"action": {"type": "transition"}}),
        policy(rule(status="tagged", tagPrefixList=["a"], tagPatternList=["b"])),
    ],
)
async def test_what_is_no_policy_is_refused(aws, text):
    with pytest.raises(InvalidParameterException, match="'LifecyclePolicyText' failed to satisfy constraint"):
        await aws.call("PutLifecyclePolicy", **NAMED, lifecyclePolicyText=text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "Could not map policyString into LifecyclePolicy."),
        ("{}", 'object has missing required properties (["rules"])'),
        (
            '{"rules": [{}]}',
            'object has missing required properties (["action", "rulePriority", "selection"])',
        ),
        (
            policy(rule() | {"x": 1}),
            'object instance has properties which are not allowed by the schema: (["x"])',
        ),
        (
            policy(rule() | {"action": {"type": "keep"}}),
            'instance value (keep) not found in enum :(possible values: ["expire"])',
        ),
        (policy(rule(countType="x")), "instance failed to match exactly one schema (matched 0 out of 2)"),
        (
            policy(rule(count=0)),
            "numeric instance is lower than the required minimum (minimum: 1, found: 0)",
        ),
    ],
)
async def test_a_refusal_says_why_as_aws_does(aws, text, reason):
    with pytest.raises(InvalidParameterException) as refused:
        await aws.call("PutLifecyclePolicy", **NAMED, lifecyclePolicyText=text)
    assert str(refused.value) == (
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
        f"'Lifecycle policy validation failure: {reason}'"
    )


async def test_one_is_kept_previewed_and_applied(aws):
    text = policy(rule())
    with pytest.raises(
        LifecyclePolicyNotFoundException,
        match=r"^Lifecycle policy does not exist for the repository with name 'app' in the registry with id "
        "'123456789012'$",
    ):
        await aws.call("GetLifecyclePolicy", **NAMED)
    with pytest.raises(LifecyclePolicyPreviewNotFoundException):
        await aws.call("GetLifecyclePolicyPreview", **NAMED)
    put = await aws.call("PutLifecyclePolicy", **NAMED, lifecyclePolicyText=text)
    assert put["lifecyclePolicyText"] == text
    old = await aws.push(Image([tar_of({"a": "1"})]), tag="old")
    aws.clock.advance(10)
    new = await aws.push(Image([tar_of({"a": "2"})]), tag="new")
    await aws.call("StartLifecyclePolicyPreview", **NAMED)
    preview = await aws.call("GetLifecyclePolicyPreview", **NAMED)
    assert preview["status"] == "COMPLETE"
    assert [(entry["imageDigest"], entry["imageTags"]) for entry in preview["previewResults"]] == [
        (old, ["old"])
    ]
    lifecycle: Lifecycle = aws.made.service.operations["PutLifecyclePolicy"].__self__
    ((_, repository),) = await aws.stores.repositories.all()
    await lifecycle.apply(repository)
    left = (await aws.call("ListImages", **NAMED))["imageIds"]
    assert left == [{"imageDigest": new, "imageTag": "new"}]
    got = await aws.call("GetLifecyclePolicy", **NAMED)
    assert got["lastEvaluatedAt"] == aws.clock.now()
    await aws.call("DeleteLifecyclePolicy", **NAMED)
    with pytest.raises(LifecyclePolicyNotFoundException):
        await aws.call("DeleteLifecyclePolicy", **NAMED)
