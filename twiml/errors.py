"""What goes wrong with a TwiML document."""


class TwimlError(ValueError):
    """A document that Twilio would refuse, or that is no TwiML; the message is one sentence."""
