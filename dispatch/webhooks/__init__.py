"""Telling other systems what happens, by the rules of Standard Webhooks (docs/webhooks.md, ADR 35).

Recorded by triggers in the transaction of the change; sent by a worker, at least once. endpoints.py: who wants to be told;
sending.py: telling them, and what follows from how that goes; events.py: of what.
"""
