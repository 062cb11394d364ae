"""What the simulator keeps: accounts, calls, texts, and the people who are called."""
