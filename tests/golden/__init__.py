"""Bytes written by each release, never written again."""
