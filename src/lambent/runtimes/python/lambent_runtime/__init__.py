"""What runs inside an environment of a python3.* runtime: takes frames, calls the handler, answers.

Runs on CPython 3.6 and newer with nothing but the standard library, under whatever interpreter the host has: no syntax
or module newer than 3.6 here, and every import is paid at each start. docs/internals/channel.md has the protocol.
Behaviour follows AWS's own runtime client (awslambdaric) in everything that a handler, its logs or its caller can see.
"""
