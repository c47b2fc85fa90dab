"""The documentation: every code block is run, and the site is built."""
