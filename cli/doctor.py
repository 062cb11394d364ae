"""`python -m alerts doctor`: check that everything an alert needs is in place."""

from __future__ import annotations

import argparse
from typing import Any

from alerts import Desk
from alerts.doctor import examine
from cli import ACCEPTED, FAILED
from settings import Settings


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("doctor", help="check settings, credentials and storage")
    command.add_argument(
        "--create-bucket", action="store_true", help="make S3_BUCKET, readable and expiring"
    )
    command.add_argument(
        "--set-webhook",
        action="store_true",
        help="have texts to TWILIO_FROM_NUMBER reported to this app",
    )
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print each check as soon as its outcome is known; returns the exit status."""
    all_passed = True
    async with Desk.from_settings(settings, mode="observer") as desk:
        checks = examine(
            settings, desk, create_bucket=chosen.create_bucket, set_webhook=chosen.set_webhook
        )
        async for check in checks:
            all_passed = all_passed and check.passed
            print(
                f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<9} {check.sentence}",
                flush=True,
            )
    return ACCEPTED if all_passed else FAILED
