"""From what was asked for to what will be heard or read."""
