"""Whether a stranger's record can be believed: findings, each with its evidence. Pure, but for `files`.

`document` runs every rule over one record. A rule is a function from a `Candidate` to findings:

- `contents`: hash, dates, suite and cells;
- `repeats`, `summaries`: raw repeats, and what is computed from them;
- `claims`: provenance, model, card and settings that contradict each other;
- `challenge`: a nonce and the answer about its excerpt;
- `physics`: what no card can do;
- `copies`: repeats and cells that copy each other;
- `series`: spread and sampling;
- `privacy`: text that must not be published;
- `signature`: signature and subject of a bundle, and what its sender wrote;
- `prediction`: what bench predicts for the card;
- `against`: the other records of the card below a folder; `outliers` counts them, for the site too.

`reading` and `repeat_digests` make of a file what its index keeps. Nothing here loads torch.
"""
