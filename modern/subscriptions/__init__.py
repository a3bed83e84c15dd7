"""Subscriptions: who has which plan, since when, and when it is billed next."""
