"""What the history keeps, and how: each function works inside a transaction of its caller's."""
