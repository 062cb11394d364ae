"""Rules: when rows of data are bad, people are alerted, exactly once for each bad thing."""
