"""Grants, requests, the switch, and the custodian: a second key holder that opens nothing without a witnessed entry."""
