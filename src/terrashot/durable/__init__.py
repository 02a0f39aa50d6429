"""Whole or absent: atomic writes, digests, locks, the ledger."""
