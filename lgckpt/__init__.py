"""Checkpoint persistence for LangGraph agents."""
