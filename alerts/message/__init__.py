"""Composing a message: checks, variables, and the TwiML of a call or the segments of a text."""
