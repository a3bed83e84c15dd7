"""Billing: the charges that subscriptions have caused."""
