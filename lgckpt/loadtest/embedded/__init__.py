"""Throw-away servers, for a load test in one command."""
