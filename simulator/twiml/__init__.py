"""TwiML as Twilio follows it in a call: documents, verbs and who performs them."""
