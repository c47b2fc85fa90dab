"""LangGraph's serializer code over our codec, and the proofs of what may be met natively."""
