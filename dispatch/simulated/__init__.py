"""Simulated customers and agents, who use the public HTTP and websocket interfaces only, as everybody else does.

api: commands over HTTP. live: the client of docs/protocol.md. worker: an agent's state, kept by frames. agents and
customers: people with habits. town: both together (`manage.py demo_traffic`). replay: a file of texts as load
(`manage.py replay`). Needs httpx and websockets, which come with the extra `trial`.
"""
