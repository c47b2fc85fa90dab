"""Examples of lgckpt; `python -m examples.demo` is the place to start."""
