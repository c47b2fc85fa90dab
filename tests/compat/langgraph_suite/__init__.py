"""LangGraph's own released test suite, run with the official savers and with ours."""
