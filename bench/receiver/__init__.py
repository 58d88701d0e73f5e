"""Receives bundles of strangers, keeps them with a log that anybody can verify, and lets people moderate."""
