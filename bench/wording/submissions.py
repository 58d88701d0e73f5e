"""Sentences about submissions: what a record counts for, what its licence and its state mean."""

from types import MappingProxyType
from typing import Final

from bench.records.enums import Provenance, WeightMode

LICENCE_MEANS: Final = (
    "the record, the note and the handle become public domain: anybody may use them for anything, without "
    "naming you, and this cannot be taken back"
)

_BY_PROVENANCE: Final = MappingProxyType(
    {
        Provenance.SMOKE: "for the pipeline alone: it ran the tiny model",
        Provenance.EMULATED: "as a run on an emulated card: shown apart, never among measured figures",
        Provenance.DERIVED: "for nothing: it is a prediction, and the site makes its own",
    }
)
_BY_WEIGHTS: Final = MappingProxyType(
    {
        WeightMode.HUB: "as a measurement of the published weights: it enters the medians of this card",
        WeightMode.LOCAL: "for weights of your own: shown apart, never among those of the published weights",
        WeightMode.RANDOM: "for memory and kernels: random weights give no answers, and are shown apart",
        WeightMode.TINY: "for the pipeline alone: it ran the tiny model",
    }
)

STATES: Final = MappingProxyType(
    {
        "received": "the site has not judged it yet",
        "valid": "the next build of the site shows it",
        "held": "a person looks at it first",
        "published": "the site shows it",
        "rejected": "the site does not show it",
        "withdrawn": "the site does not show it any more",
        "deleted": "the site does not have it any more",
    }
)
"""The meaning of each state of an entry."""


def state(name: str) -> str:
    """Return the state of an entry of a site, with its meaning where it is known."""
    return f"{name}: {STATES[name]}" if name in STATES else name


def counts_for(provenance: Provenance, weights: WeightMode) -> str:
    """Return what a submitted record counts for, as it goes after "It counts"."""
    return _BY_PROVENANCE.get(provenance, _BY_WEIGHTS[weights])
