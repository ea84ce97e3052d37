"""Lambent: AWS Lambda on your own machines. Start reading at `lambent.server`."""

__version__ = "0.1.0"
