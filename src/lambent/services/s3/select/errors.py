"""What S3 Select refuses.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#SelectObjectContentErrorCodeList
"""

from lambent.services.s3.errors import Fixed


class LexerInvalidChar(Fixed):
    text = "The SQL expression contains an invalid character."


class ParseUnexpectedToken(Fixed):
    text = "The SQL expression contains an unexpected token."


class ParseUnsupportedSyntax(Fixed):
    text = "The SQL expression contains unsupported syntax."


class UnsupportedFunction(Fixed):
    text = "Encountered an unsupported SQL function."


class ExpressionTooLong(Fixed):
    text = "The SQL expression is too long: The maximum byte-length for the SQL expression is 256 KB."


class CastFailed(Fixed):
    text = "Attempt to convert from one data type to another using CAST failed in the SQL expression."


class JSONParsingError(Fixed):
    text = "Encountered an error parsing the JSON file. Check the file and try again."


class CSVParsingError(Fixed):
    text = "Encountered an error parsing the CSV file. Check the file and try again."


class TruncatedInput(Fixed):
    text = (
        "Object decompression failed. Check that the object is properly compressed using the format specified in the"
        " request."
    )


class OverMaxRecordSize(Fixed):
    text = (
        "The length of a record in the input or result is greater than the maxCharsPerRecord limit of 1 MB."
    )


class InvalidDataSource(Fixed):
    text = "Invalid data source type. Only CSV, JSON, and Parquet are supported."
