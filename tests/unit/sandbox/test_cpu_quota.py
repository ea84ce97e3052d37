import pytest

from lambent.sandbox.cpu_quota import PERIOD_US, quota_us


@pytest.mark.parametrize(
    ("cpus", "quota"), [(1, PERIOD_US), (0.5, 50_000), (6, 600_000), (0.0724, 7_240), (0.001, 1_000)]
)
def test_quota_is_the_share_of_a_period(cpus: float, quota: int) -> None:
    assert quota_us(cpus) == quota
