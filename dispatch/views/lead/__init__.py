"""The team leads' pages, one file a page; for accounts that may see the same in the admin, without its rooms."""
