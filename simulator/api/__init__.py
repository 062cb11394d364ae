"""Twilio's REST API: one file per resource, and what they share."""
