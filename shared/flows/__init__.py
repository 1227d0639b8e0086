"""Observe, decide, record the intent, act, record the result: one module per flow."""
