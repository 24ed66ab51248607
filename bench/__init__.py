"""Measurements beside their floors, one command: `make bench`, or `python -m bench [ROW …]`.

Every row is measured in the same run beside its floor: the barest program that does what cannot be left out, on the same
machine, PostgreSQL (fsync on, as in production) and client. Rounds are interleaved (floor, ours, floor, ours, …); a row's
figure is the median of its rounds. What counts is the ratio: times change with the machine and with who else uses it.

One module a row (offer, intake, accept, sockets), what they share in ground.py (servers, rows, table), client.py (the load),
world.py (agents and topics), and the floors in floors/.
"""
