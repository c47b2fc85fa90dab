"""What runs inside the suite's pytest process, whose `tests` package is LangGraph's."""
