"""Is everything in place that an alert needs? Each thing is really tried, and nothing is sent.

Each file has the checks of one subject; check.py says what a check is and makes many side by side.
People and rules have checks of their own; doctor.py, above them, puts all in order.
"""

from alerts.doctor.check import Check, Fix, Group, Line, Verdict, examine

__all__ = ["Check", "Fix", "Group", "Line", "Verdict", "examine"]
