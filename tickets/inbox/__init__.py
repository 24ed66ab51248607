"""Mail that customers write to us.

`parsing` (with `pages` and `history`) reads a message, `programs` tells what no person has written: pure, no Django.
`taking` is the service: what a mail does, once. `fetching` asks an IMAP server; the webhook is in tickets/api_mail.py.
"""
