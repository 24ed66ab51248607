"""Example data: Later & Co, an invented shop service where one pays later, with invented people.

brand: topics, skills, pools, routes, rates. people: who works there. stories: what customers write. seed: puts the first
two into the database. past: some tickets that have been. All names, addresses and matters are made up.
"""
