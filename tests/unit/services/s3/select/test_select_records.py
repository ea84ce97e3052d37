import bz2
import csv
import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.error import ServiceException
from lambent.services.s3.select.records import RECORD_MOST, RecordReader
from lambent.services.s3.select.written import writer_of

JSON = {"JSON": {"Type": "DOCUMENT"}}


def read(data: bytes, serialization, step=7):
    reader = RecordReader(serialization)
    found = [record for at in range(0, len(data), step) for record in reader.feed(data[at : at + step])]
    return [*found, *reader.finish()]


def refusal(data: bytes, serialization, step=7):
    with pytest.raises(ServiceException) as refused:
        read(data, serialization, step)
    return refused.value.code


def test_json_values_one_after_the_other():
    assert read(b'{"a":1}{"a":2}\n [3, 4] 56 "x"', JSON) == [{"a": 1}, {"a": 2}, [3, 4], 56, "x"]
    assert read(b"", JSON) == []
    assert refusal(b'{"a":', JSON) == "JSONParsingError"
    assert refusal(b"\xff\xfe", JSON) == "JSONParsingError"
    assert refusal(b'["' + b"x" * 2 * RECORD_MOST, JSON, step=RECORD_MOST) == "OverMaxRecordSize"


def test_lines_of_fields():
    data = b'a,b\r\n1,"x,""y"""\r\n\r\n2,z'
    assert read(data, {"CSV": {}}) == [
        {"_1": "a", "_2": "b"},
        {"_1": "1", "_2": 'x,"y"'},
        {"_1": "2", "_2": "z"},
    ]
    assert read(data, {"CSV": {"FileHeaderInfo": "IGNORE"}})[0] == {"_1": "1", "_2": 'x,"y"'}
    assert read(data, {"CSV": {"FileHeaderInfo": "USE"}})[1] == {"a": "2", "b": "z"}


def test_lines_that_are_told_how_to_be_read():
    other = {"RecordDelimiter": "|", "FieldDelimiter": ";", "Comments": "#", "QuoteEscapeCharacter": "\\"}
    assert read(b'#no|1;"a\\"b"|', {"CSV": other}) == [{"_1": "1", "_2": 'a"b'}]
    quoted = {"AllowQuotedRecordDelimiter": True}
    assert read(b'1,"a\nb"\n2,c\n', {"CSV": quoted}) == [{"_1": "1", "_2": "a\nb"}, {"_1": "2", "_2": "c"}]
    assert refusal(b"x" * 2 * RECORD_MOST, {"CSV": {}}, step=RECORD_MOST) == "OverMaxRecordSize"


@pytest.mark.parametrize(("kind", "pack"), [("GZIP", gzip.compress), ("BZIP2", bz2.compress)])
def test_compressed_streams(kind, pack):
    packed = {**JSON, "CompressionType": kind}
    assert read(pack(b"[1]") + pack(b"[2]"), packed, step=11) == [[1], [2]]
    large = json.dumps({"a": "x" * 3_000_000}).encode()
    assert refusal(pack(large), packed, step=1000) == "OverMaxRecordSize"
    many = b"[1]" * 1_000_000
    assert len(read(pack(many), packed, step=100)) == 1_000_000
    assert refusal(pack(b"[1]")[:-3], packed) == "TruncatedInput"
    assert refusal(b"[1]", packed) == "TruncatedInput"


def test_neither_of_the_forms():
    for make in (RecordReader, writer_of):
        with pytest.raises(ServiceException) as refused:
            make({})
        assert refused.value.code == "InvalidDataSource"


def test_answers_as_they_are_written():
    answer = {"a": 'x,"y"', "b": None, "c": True, "d": [1, "ü"]}
    assert writer_of({"JSON": {}})(answer).decode() == ('{"a":"x,\\"y\\"","b":null,"c":true,"d":[1,"ü"]}\n')
    assert writer_of({"CSV": {}})(answer).decode() == '"x,""y""",,true,"[1,""ü""]"\n'
    always = {"QuoteFields": "ALWAYS", "FieldDelimiter": ";", "RecordDelimiter": "|", "QuoteCharacter": "'"}
    assert writer_of({"CSV": always})({"a": "1", "b": "it's"}) == b"'1';'it''s'|"


fields = st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8")), min_size=2, max_size=4)


@given(st.lists(fields, min_size=1), st.integers(1, 20))
def test_what_the_csv_module_writes_is_read_in_any_pieces(lines, step):
    written = io.StringIO()
    csv.writer(written).writerows(lines)
    found = read(written.getvalue().encode(), {"CSV": {}}, step)
    assert [list(record.values()) for record in found] == lines
