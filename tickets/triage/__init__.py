"""Triage: what a ticket is about, learned from labelled tickets, and left to people where it is not sure.

Pure are `features`, `model`, `calibration`, `labelled`, `report` and `learning`. `deciding` is what a ticket's opening asks,
`labels` and
`versions` the stored side. `learning`, and `versions` with it, import scikit-learn: a second and 60 MB that no web process
spends.
"""
