"""Opens the stack of a home, whichever kind it is."""

from __future__ import annotations

from retentioncast.infra.settings import Settings, load_settings
from retentioncast.stack.compose import ComposeStack
from retentioncast.stack.native import NativeStack
from retentioncast.stack.part import Stack
from retentioncast.stack.progress import Progress


def open_stack(settings: Settings | None = None, progress: Progress | None = None) -> Stack:
    """The stack that the settings describe; nothing is started."""
    settings = settings or load_settings()
    if settings.stack.kind == "docker":
        return ComposeStack()
    return NativeStack(settings, progress or Progress())
