"""When work happens, never what it is."""
