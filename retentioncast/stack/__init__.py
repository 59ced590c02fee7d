"""Starts, watches and stops the parts of RetentionCast, with or without containers."""
