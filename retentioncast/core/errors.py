"""The errors of RetentionCast on one page: each says what the one who receives it must do."""

from __future__ import annotations


class RetentionCastError(Exception):
    """Something a person can act on. The message says what happened; `next_step` says what to do about it."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class InvalidSettings(RetentionCastError):
    """A setting is missing, unknown or out of range. Correct it; nothing was started."""


class InvalidInput(RetentionCastError):
    """Input given by a person (a file, an option) cannot be used. Nothing was written."""


class InvalidMessage(RetentionCastError):
    """A message can never be applied. Send it to the dead letters with this reason; never retry."""

    def __init__(self, reason: str, field: str = "", value: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.value = value


class Retry(RetentionCastError):
    """An outside system did not answer. Back off and try again until the deadline."""


class Fenced(RetentionCastError):
    """Another consumer has moved these offsets. Drop the batch, write nothing, stop; the other one goes on."""


class StreamBroken(RetentionCastError):
    """The stream has a hole (offset out of range, topic or slot re-created). Stop and ask; never jump to latest."""


class NotEnoughData(RetentionCastError):
    """There is too little data to fit. Keep the last scores in force and record why."""


class FitFailed(RetentionCastError):
    """A fit did not converge, hit a bound or is not finite. Keep the last scores in force and record why."""


class StackError(RetentionCastError):
    """A part of the stack could not be started, found or stopped."""
