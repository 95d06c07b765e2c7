"""Grants, requests, the switch, and the custodian: no half without a witnessed entry."""
