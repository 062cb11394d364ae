"""The steps of delivering one alert, which alerts/delivery.py takes one after the other."""
