"""How a store says no. Services translate these into AWS's errors; none reaches a caller."""


class StoreError(Exception):
    """Base of what a store raises."""


class AlreadyExistsError(StoreError):
    """The key is taken."""


class NotFoundError(StoreError):
    """Nothing has this key."""


class NotEmptyError(StoreError):
    """Something is in it that has to go first."""


class MissingKeyError(NotFoundError):
    """What a condition compares with is not there."""


class StaleRevisionError(StoreError):
    """The record was changed since the caller read it."""


class OvertakenError(StoreError):
    """What a condition asks for is so only because of what was done meanwhile."""


class LockedError(StoreError):
    """It is held: it cannot be deleted yet."""


class InUseError(StoreError):
    """Something else refers to what was to be deleted."""


class StoreFullError(StoreError):
    """The disk (or the database's quota) takes no more; old data is intact."""


class StoreClosedError(StoreError):
    """The store was closed before it could answer; nothing was changed."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached, went away meanwhile, or is too busy: worth trying again. Nothing was changed,
    except where it is an OutcomeUnknownError."""


class OutcomeUnknownError(StoreUnavailableError):
    """The change may have been made, and may be there from now on, or later, or never: nobody knows. Whoever gets this
    must neither tell that it was made nor take away what it would need."""


class LimitExceededError(StoreError):
    """Together with what others hold it would be too much; nothing was changed."""


class ContentMissingError(StoreError):
    """The content was removed since the caller learned of it."""


class ContentStoreFullError(StoreFullError):
    """The disk that holds the objects takes no more."""
