"""The agents' pages: console, commands, earnings, payouts, files."""
