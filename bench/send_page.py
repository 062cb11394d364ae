"""The Send page as a browser reports it, and the environment that it is measured in."""

from __future__ import annotations

BUTTON = "send-send_test_call"
MESSAGE = "send-message"
NUMBER = "send-phone_number"
PREVIEW = "send-twiml_preview"
PROGRESS = "send-progress"


def press(count: int) -> dict[str, object]:
    """The Send button's input after `count` presses."""
    return {f"{BUTTON}:bslib.taskbutton": {"value": count, "autoReset": True}}


INPUTS: dict[str, object] = {
    "page": "send",
    "send-channel": "call",
    NUMBER: "(412) 857-4309",
    MESSAGE: "Greetings, it is currently {{ now }}. Batch 1407 shows signs of diacetyl.",
    "send-voice": "alice",
    "send-language": "en-GB",
    "send-repeat": "3",
    "send-acknowledge": False,
    "send-voicemail": "",
    "send-tries": "1",
    "send-minutes_between_tries": 5,
    "send-then_text": False,
    "send-then_to": "",
    "send-quiet_hours": False,
    "send-time_zone": "America/New_York",
    **press(0),
}
# The outputs that a call's page shows: not the preview of a text, nor what is folded away.
OUTPUTS = (
    PREVIEW,
    PROGRESS,
    "send-actions",
    "send-acknowledge_line",
    "send-announcement",
    "send-caller",
    "send-hearers",
    "send-in_short",
    "send-length",
    "send-message_feedback_line",
    "send-reaching_summary",
    "send-recipients",
    "send-send_label",
    "send-send_refusal",
    "send-sent_before",
    "send-words",
)


def with_account(twilio: str, s3: str) -> dict[str, str]:
    """The environment of an app whose Twilio and S3 are at these addresses."""
    return {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "0" * 32,
        "TWILIO_FROM_NUMBER": "+15017122661",
        "TWILIO_BASE_URL": twilio,
        # No rate limit, because the app is measured and not the account.
        "TWILIO_CALLS_PER_SECOND": "1000",
        "ALERTS_PER_NUMBER_PER_HOUR": "100000",
        "STORAGE": "s3",
        "S3_BUCKET": "twilio-xml",
        "AWS_ENDPOINT_URL_S3": s3,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": "us-east-1",
    }
