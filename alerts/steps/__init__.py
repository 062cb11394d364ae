"""The steps of delivering one alert, in the order that alerts/delivery.py takes them."""
