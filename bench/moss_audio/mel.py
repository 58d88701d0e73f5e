"""Whisper's log-mel spectrogram of a whole clip, in double precision and bounded memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from transformers import WhisperFeatureExtractor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK_FRAMES: Final = 8192  # 82 s at a time: about 50 MB, whatever the clip's length
_DYNAMIC_RANGE: Final = 8.0  # decades below the clip's loudest value that are kept
_FLOOR: Final = 1e-10


@dataclass(frozen=True)
class LogMel:
    """Whisper's log-mel as `transformers` computes it, not padded to 30 s: same filters, same formula.

    Its NumPy path works in float64, its torch path in float32, and the two differ by up to 2e-5. The released
    numbers come from the NumPy path, which is too slow for long clips; this is its result at torch's speed.
    """

    mel_bins: int = 128
    fft_size: int = 400
    hop: int = 160

    def __post_init__(self) -> None:
        _ = self.filters  # made with the processor, or the first clip's time and memory would hold them

    @cached_property
    def filters(self) -> Tensor:
        """`[mel_bins, fft_size // 2 + 1]` float64."""
        make: Callable[..., WhisperFeatureExtractor] = WhisperFeatureExtractor
        extractor = make(feature_size=self.mel_bins, n_fft=self.fft_size, hop_length=self.hop)
        return torch.as_tensor(extractor.mel_filters).T.double().contiguous()

    def __call__(self, waveform: "NDArray[np.float32]") -> Tensor:
        """`[samples]` at 16 kHz to `[1, mel_bins, samples // hop]` float32, normalised over the clip."""
        log = torch.cat(list(self._blocks(torch.from_numpy(waveform).double())), dim=1)
        log = torch.maximum(log, log.max() - _DYNAMIC_RANGE)
        return ((log + 4.0) / 4.0).float()[None]

    def _blocks(self, samples: Tensor) -> Iterator[Tensor]:
        half = self.fft_size // 2
        padded = F.pad(samples[None], (half, half), mode="reflect")[0]
        window = torch.hann_window(self.fft_size, dtype=torch.float64)
        frames = padded.unfold(0, self.fft_size, self.hop)[: samples.numel() // self.hop]
        for block in torch.split(frames, _BLOCK_FRAMES):
            power = torch.fft.rfft(block * window).abs().square()
            yield (self.filters @ power.T).clamp(min=_FLOOR).log10()
