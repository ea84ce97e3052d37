"""PostgreSQL's errors as the stores' own."""

import psycopg
from psycopg import errors

from lambent.store.ports.errors import StoreFullError, StoreUnavailableError

COLLISIONS = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
"""What others did at the same time: the transaction is to be run again. Two who insert the same after both have looked
for it meet as a violated key."""

_UNAVAILABLE = (
    psycopg.OperationalError,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
)


def translated(error: Exception) -> Exception:
    if isinstance(error, errors.DiskFull):
        return StoreFullError(f"the disk that holds the database takes no more: {error}")
    if isinstance(error, _UNAVAILABLE):
        return StoreUnavailableError(f"the database is not available: {error}")
    return error
