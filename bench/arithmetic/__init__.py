"""Shapes, bytes and operations of the architecture, computed from its configuration. Pure."""
