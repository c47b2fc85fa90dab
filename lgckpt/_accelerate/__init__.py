"""How the native step gets into LangGraph's loop: where, on what condition, and the proof of it."""
