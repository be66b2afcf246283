"""Dispatcher sends a small business's offers only to clients who said yes, and proves it."""
