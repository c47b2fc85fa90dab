"""Threads from one database to another, and from and to LangGraph's own layouts."""
