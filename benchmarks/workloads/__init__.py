"""What is measured: seeded, realistic data in the shape LangGraph hands to a saver."""
