"""django-helpdesk 2.6.1 in an environment of its own, on the server program, threads and PostgreSQL that ours has."""
