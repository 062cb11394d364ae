"""The command line, `python -m alerts …`: main.py, and one file per command."""

# The exit statuses of all commands.
ACCEPTED = 0  # with --wait: it reached the person
FAILED = 1
UNUSABLE = 2
INTERRUPTED = 130  # as shells say it of a program that Ctrl+C ended
