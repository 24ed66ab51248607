"""The rules of offers and routes as plain functions: what the product writes to the database and what the simulator plays are
decided here. Imports no Django.
"""
