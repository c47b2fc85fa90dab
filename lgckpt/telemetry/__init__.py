"""OpenTelemetry metrics and traces of savers; nothing of it is loaded until it is asked for."""

from lgckpt.telemetry.switch import instrument, uninstrument

__all__ = ["instrument", "uninstrument"]
