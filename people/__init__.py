"""People: contacts, groups, message templates, and broadcasts to many of them."""
