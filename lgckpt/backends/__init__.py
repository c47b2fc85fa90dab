"""Backends store rows and know nothing of LangGraph."""
