"""Runs: a program's execution from its files to its answer, each in a session of its own."""
