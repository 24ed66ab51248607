"""What all pages of the Django admin have in common: roles, own pools, counting, history, the import of agents."""
