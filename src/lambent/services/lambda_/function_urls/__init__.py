"""Function URLs: their configuration (`configs`), and the HTTP door behind them (`door`; read it first).

An HTTP request becomes an event of payload format 2.0 (`event`), and what the function returns becomes an HTTP response
(`response`, `streamed`); `cors` and `access` stand before both.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""
