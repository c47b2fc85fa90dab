"""Threads in one portable, versioned file."""
