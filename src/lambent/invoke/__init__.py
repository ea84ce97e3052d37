"""The data plane: from "run this function" to its result. Read `invoke.py` first.

Knows function references that are resolved already to a FunctionId and a qualifier; does not know HTTP or how
environments are made.
"""
