"""Is everything in place that an alert needs? Each thing is really tried, and nothing is sent.

Each file has the checks of one subject, and all_checks.py puts them in order. check.py says what a
check is, and makes many of them side by side.
"""

from doctor.check import Check, Fix, Group, Line, Verdict, examine

__all__ = ["Check", "Fix", "Group", "Line", "Verdict", "examine"]
