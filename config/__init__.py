"""Wiring: settings, addresses, servers. No logic of the product lives here."""
