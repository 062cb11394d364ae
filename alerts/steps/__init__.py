"""The steps of a delivery, and what they need; `alerts/delivery.py` strings them together."""
