"""Tests of the checks of alerts, a file for each subject."""
