"""The agents' pages: console, commands, earnings, files."""
