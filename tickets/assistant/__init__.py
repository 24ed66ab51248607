"""The first line: it quotes approved articles within drawn limits, and hands over to a person. It is a machine, and says so.

Pure: limits.py, words.py, calibrate.py. search.py asks PostgreSQL, turns.py writes.
"""
