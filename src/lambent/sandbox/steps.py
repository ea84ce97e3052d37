"""One step, one reason, one error: how the privileged processes name what failed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


class StepError(Exception):
    """A step of making a sandbox failed. The message is the step and the kernel's answer."""

    def __init__(self, step: str, error: OSError) -> None:
        self.step = step
        self.errno = error.errno or 0
        super().__init__(f"{step}: {os.strerror(self.errno)}")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Turns an OSError inside into a StepError that names the step."""
    try:
        yield
    except OSError as error:
        raise StepError(name, error) from error
