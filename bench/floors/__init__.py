"""The barest programs that do the same, to measure beside."""
