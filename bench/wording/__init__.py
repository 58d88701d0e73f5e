"""Typed reasons, verdicts and caveats into English. Pure: values come in, sentences go out."""
