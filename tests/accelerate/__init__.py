"""Graphs run plain and accelerated: nothing but the time may differ."""
