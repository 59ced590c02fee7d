"""Populations: a shop's customers as a mixture of segments, written down once, simulated, and inferred back."""
