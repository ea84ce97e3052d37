"""From an SQL expression to a query: columns, where rows come from (S3Object, a path within, an alias), a condition,
and a limit.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-select.html
"""

from lambent.services.s3.select.errors import (
    ExpressionTooLong,
    ParseUnexpectedToken,
    ParseUnsupportedSyntax,
)
from lambent.services.s3.select.expressions import ExpressionParser
from lambent.services.s3.select.query import Column, Query, Step
from lambent.services.s3.select.tokens import tokens_of

_MOST_BYTES = 256 * 1024
_CLAUSES = ("WHERE", "LIMIT")


def parse_query(expression: str) -> Query:
    """Raises LexerInvalidChar, ParseUnexpectedToken, ParseUnsupportedSyntax, UnsupportedFunction, ExpressionTooLong."""
    if len(expression.encode()) > _MOST_BYTES:
        raise ExpressionTooLong()
    try:
        return _QueryParser(expression).query()
    except RecursionError:
        raise ExpressionTooLong() from None


class _QueryParser(ExpressionParser):
    def __init__(self, expression: str) -> None:
        super().__init__(tokens_of(expression))

    def query(self) -> Query:
        self.expect_word("SELECT")
        self._skip_to_source()
        columns = self._columns()
        if self.aggregates and any(column.evaluate is None for column in columns):
            raise ParseUnsupportedSyntax()
        self.expect_word("FROM")
        source = self._source()
        if self.take_word("AS") or self.token.kind in ("word", "name"):
            self.take_alias(_CLAUSES)
        where = self.expression() if self.take_word("WHERE") else None
        limit = self._limit() if self.take_word("LIMIT") else None
        self.take_sign(";")
        if self.token.kind != "end":
            raise ParseUnexpectedToken()
        return Query(
            columns=columns, source=source, where=where, limit=limit, aggregates=tuple(self.aggregates)
        )

    def _skip_to_source(self) -> None:
        """Columns are read by the alias, which stands behind them."""
        start = self.at
        depth = 0
        while self.token.kind != "end" and not (depth == 0 and self.token.is_word("FROM")):
            depth += self.token.is_sign("(") - self.token.is_sign(")")
            self.at += 1
        if self.take_word("FROM"):
            self._source()
            if self.take_word("AS") or self.token.kind in ("word", "name"):
                self.take_alias(_CLAUSES)
        self.at = start

    def _columns(self) -> list[Column]:
        columns = [self._column(1)]
        while self.take_sign(","):
            columns.append(self._column(len(columns) + 1))
        return columns

    def _column(self, place: int) -> Column:
        if self.take_sign("*"):
            return Column("*", None)
        if self.is_alias(self.token) and self.peek(1).is_sign(".") and self.peek(2).is_sign("*"):
            self.at += 3
            return Column("*", None)
        start = self.at
        evaluate = self.expression()
        if self.take_word("AS"):
            return Column(self.take_name(), evaluate)
        if self.token.kind == "name" or (self.token.kind == "word" and not self.token.is_word("FROM")):
            return Column(self.take_name(), evaluate)
        return Column(self.path_name(start) or f"_{place}", evaluate)

    def _source(self) -> list[Step]:
        if not self.token.is_word("S3OBJECT"):
            raise ParseUnexpectedToken()
        self.at += 1
        # S3Object[*] is each record, as S3Object is.
        if self.token.is_sign("[") and self.peek(1).is_sign("*") and self.peek(2).is_sign("]"):
            self.at += 3
        return self.steps()

    def _limit(self) -> int:
        if self.token.kind != "number" or not self.token.value.isdigit():
            raise ParseUnexpectedToken()
        return int(self.next().value)
