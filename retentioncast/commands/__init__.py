"""The command's groups. Each module has `register(app)` and imports what is heavy inside its functions."""
