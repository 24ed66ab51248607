"""What a policy would do, before anybody meets it: a discrete-event simulation of tickets, people and offers.

The matching is dispatch.matching and the rules are dispatch.rules; only the clock and the people are made up. Imports no
Django.
"""
