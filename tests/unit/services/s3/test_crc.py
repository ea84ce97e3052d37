import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.services.s3 import crc

CHECK = b"123456789"


@pytest.mark.parametrize(
    ("polynomial", "value"),
    [(crc.CRC32, 0xCBF43926), (crc.CRC32C, 0xE3069283), (crc.CRC64NVME, 0xAE8B14860A799888)],
)
def test_the_check_values_of_the_catalogue(polynomial, value):
    assert crc.by_table(polynomial, CHECK) == value


@given(st.binary(), st.binary())
def test_the_chosen_ones_are_the_table_s_and_go_on(first, second):
    assert crc.crc32c(second, crc.crc32c(first, 0)) == crc.by_table(crc.CRC32C, first + second)
    assert crc.crc64nvme(second, crc.crc64nvme(first, 0)) == crc.by_table(crc.CRC64NVME, first + second)
    assert crc.by_table(crc.CRC32, second, crc.by_table(crc.CRC32, first)) == zlib.crc32(first + second)


@given(st.binary(), st.binary(), st.sampled_from([crc.CRC32, crc.CRC32C, crc.CRC64NVME]))
def test_combining_is_the_crc_of_both(first, second, polynomial):
    values = crc.by_table(polynomial, first), crc.by_table(polynomial, second)
    assert crc.combine(polynomial, *values, len(second)) == crc.by_table(polynomial, first + second)


@given(st.integers(0, 40_000), st.integers(0, 2**32), st.sampled_from([crc.CRC32C, crc.CRC64NVME]))
def test_folding_is_what_the_table_says(size, seed, polynomial):
    data = random.Random(seed).randbytes(size)
    value = seed & polynomial.ones
    assert crc.by_folding(polynomial, data, value) == crc.by_table(polynomial, data, value)


@pytest.mark.parametrize("split", [0, 5, 70_000, 140_000])
def test_a_crc_32_of_large_and_of_small_pieces_is_the_same(split):
    data = random.Random(split).randbytes(140_000)
    assert crc.crc32(data[split:], crc.crc32(data[:split], 0)) == zlib.crc32(data)
