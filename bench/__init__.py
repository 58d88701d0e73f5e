"""Hardware compatibility benchmark for MOSS-Audio: does it run on this card, how fast, with how much VRAM."""

__version__ = "0.1.0"
