"""Django's PostgreSQL backend with a health check that costs nothing while the connection is well (base.py)."""
