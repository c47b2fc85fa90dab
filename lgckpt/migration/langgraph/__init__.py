"""LangGraph's own layouts, read and written without its savers."""
