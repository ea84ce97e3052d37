import pytest

from lambent.model.bucket import Bucket
from lambent.model.error import ServiceException
from lambent.model.stored_object import ObjectLock
from lambent.services.s3.object_lock import completed_lock, lock_of

NOW = 1_000_000.0
DAY = 86_400
SIGNED = {"authorization": "AWS4", "x-amz-checksum-crc32": "AAAAAA=="}


def bucket(**rule: object) -> Bucket:
    configuration: dict[str, object] = {"ObjectLockEnabled": "Enabled"}
    if rule:
        configuration["Rule"] = {"DefaultRetention": rule}
    return Bucket(
        name="b",
        account_id="1",
        region="us-east-1",
        created_at=0.0,
        versioning="Enabled",
        configurations={"ObjectLockConfiguration": configuration},
    )


PLAIN = Bucket(name="b", account_id="1", region="us-east-1", created_at=0.0)


@pytest.mark.parametrize(
    ("lock", "holds", "holds_against_bypass"),
    [
        (ObjectLock(), False, False),
        (ObjectLock(legal_hold=False), False, False),
        (ObjectLock(legal_hold=True), True, True),
        (ObjectLock(mode="GOVERNANCE", retain_until=NOW + 1), True, False),
        (ObjectLock(mode="COMPLIANCE", retain_until=NOW + 1), True, True),
        (ObjectLock(mode="COMPLIANCE", retain_until=NOW), False, False),
        (ObjectLock(mode="GOVERNANCE", retain_until=NOW + 1, legal_hold=True), True, True),
    ],
)
def test_what_holds_a_version(lock, holds, holds_against_bypass):
    assert lock.holds(NOW) is holds
    assert lock.holds(NOW, bypass=True) is holds_against_bypass


def test_a_rule_of_the_bucket_is_for_whoever_says_nothing():
    by_days, by_years = bucket(Mode="GOVERNANCE", Days=2), bucket(Mode="COMPLIANCE", Years=1)
    assert lock_of(by_days, {}, SIGNED, NOW) == ObjectLock(mode="GOVERNANCE", retain_until=NOW + 2 * DAY)
    assert lock_of(by_years, {}, SIGNED, NOW) == ObjectLock(mode="COMPLIANCE", retain_until=NOW + 365 * DAY)
    held = lock_of(by_days, {"ObjectLockLegalHoldStatus": "ON"}, SIGNED, NOW)
    assert held == ObjectLock(mode="GOVERNANCE", retain_until=NOW + 2 * DAY, legal_hold=True)
    given = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": NOW + 5}
    assert lock_of(by_days, given, SIGNED, NOW) == ObjectLock(mode="COMPLIANCE", retain_until=NOW + 5)
    assert lock_of(PLAIN, {}, {}, NOW) == ObjectLock()
    assert completed_lock(by_days, ObjectLock(), NOW) == ObjectLock(
        mode="GOVERNANCE", retain_until=NOW + 2 * DAY
    )
    assert completed_lock(by_days, ObjectLock(mode="COMPLIANCE", retain_until=5.0), NOW).retain_until == 5.0


@pytest.mark.parametrize(
    ("where", "given", "headers", "message"),
    [
        (PLAIN, {"ObjectLockLegalHoldStatus": "ON"}, SIGNED, "Bucket is missing Object Lock Configuration"),
        (bucket(), {"ObjectLockMode": "GOVERNANCE"}, SIGNED, "must both be supplied"),
        (bucket(), {"ObjectLockRetainUntilDate": NOW + 1}, SIGNED, "must both be supplied"),
        (
            bucket(),
            {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": NOW},
            SIGNED,
            "must be in the future!",
        ),
        (bucket(), {"ObjectLockLegalHoldStatus": "ON"}, {"authorization": "AWS4"}, "Content-MD5 OR"),
    ],
)
def test_locks_that_are_none(where, given, headers, message):
    with pytest.raises(ServiceException, match=message):
        lock_of(where, given, headers, NOW)
