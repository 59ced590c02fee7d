"""What can be wrong with the model store, a class for each thing that its user has to do."""

from __future__ import annotations

from retentioncast.core.errors import InvalidInput, RetentionCastError, Retry


class StoreUnreachable(Retry):
    """The store did not answer, or did not let us in. Nothing is known of what it holds."""


class NoSuchVersion(InvalidInput):
    """The store holds no such version, or not all of it: it is looked for under its manifest."""


class BrokenVersion(InvalidInput):
    """A version is not what its manifest says. It is never used; the last good one stays."""


class NewerVersion(BrokenVersion):
    """A version was written by a newer RetentionCast than this one."""


class PromotedMeanwhile(RetentionCastError):
    """Somebody else promoted a version at the same moment; nothing was changed. Look, then decide again."""
