"""`lgckpt` on the command line: one file a command, and no work of its own."""
