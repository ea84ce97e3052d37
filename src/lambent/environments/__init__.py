"""Execution environments: a sandbox with a runtime in it, which runs one invocation of one function version at a time.

Read `environment.py` for the life of one, `blanks.py` for those made before they are needed, `pools.py` for how callers
get one. Knows what a function version needs to run; does not know qualifiers, queues or HTTP APIs of services.
"""
