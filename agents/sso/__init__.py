"""Single sign-on for staff by OpenID Connect, through allauth (docs/single-sign-on.md, off without SSO_ISSUER).

provider.py: the protocol, stricter than allauth's own in what an identity token has to prove; linking.py: which account that
is, and which roles it has today; pages.py: how allauth asks linking.py, and what is shown when it says no.
"""
