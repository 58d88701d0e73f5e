"""The processor: text and a waveform to the model's inputs, and token ids back to text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, cast

import torch
from numpy.typing import ArrayLike
from transformers import AutoTokenizer, BatchFeature, PreTrainedTokenizerBase, Qwen3Config
from transformers.utils.hub import cached_file

from bench.errors import UsageError
from bench.moss_audio.configuration import audio_token_count
from bench.moss_audio.mel import LogMel
from bench.moss_audio.prompt import AudioIds, PromptError, ShippedPrompt, Tokenize, build_prompt
from bench.moss_audio.waveform import SAMPLE_RATE, WaveformError, prepare_waveform

_CONFIG_NAME: Final = "processor_config.json"
_MEL: Final[Mapping[str, int]] = {
    "mel_sr": SAMPLE_RATE,
    "mel_dim": 128,
    "mel_n_fft": 400,
    "mel_hop_length": 160,
}


class ProcessorError(UsageError, ValueError):
    """A processor configuration that cannot be used."""


class MossAudioProcessor:
    """Turns `(text, audio)` into `input_ids`, `audio_features` and `audio_slots`, for a batch of one.

    Args:
        tokenizer: of the checkpoint; None: only the default prompt, from shipped ids.
        config: the content of `processor_config.json`.

    Raises:
        ProcessorError: log-mel settings that are not the model's.
        PromptError: audio ids are missing.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase | None, config: Mapping[str, Any]) -> None:
        self.tokenizer = tokenizer
        self.config = dict(config)
        self.audio_ids = AudioIds.from_dict(config)
        self.time_markers = bool(config.get("enable_time_marker", True))
        mel = {**_MEL, **{key: value for key, value in config.get("mel_config", {}).items() if key in _MEL}}
        if mel["mel_sr"] != SAMPLE_RATE:
            raise ProcessorError(
                f"The processor wants {mel['mel_sr']} Hz", hint="This model hears 16 kHz only"
            )
        self._log_mel = LogMel(mel["mel_dim"], mel["mel_n_fft"], mel["mel_hop_length"])
        self._tokenize = (
            _tokenizer_call(tokenizer) if tokenizer is not None else ShippedPrompt.load().tokenize
        )

    @classmethod
    def from_pretrained(cls, path: str | Path, *, enable_time_marker: bool | None = None, **hub: Any) -> Self:
        """Read `processor_config.json` and the tokenizer from a directory or a Hub repository.

        Args:
            path: directory or repository.
            enable_time_marker: overrides the file's setting.
            hub: `revision`, `token`, `cache_dir`, `local_files_only` and such, as in transformers.

        Raises:
            OSError: a file is missing.
        """
        file = Path(cast(str, cached_file(str(path), _CONFIG_NAME, **hub)))
        config = json.loads(file.read_text(encoding="utf-8"))
        if enable_time_marker is not None:
            config["enable_time_marker"] = enable_time_marker
        # A config is given, so that none is looked for: the released one names code of its own.
        tokenizer = AutoTokenizer.from_pretrained(
            str(path), config=Qwen3Config(), trust_remote_code=False, **hub
        )
        return cls(cast(PreTrainedTokenizerBase, tokenizer), config)

    @classmethod
    def without_tokenizer(cls, *, enable_time_marker: bool = True) -> Self:
        """For random weights of the released shapes: the default prompt in Qwen's ids."""
        ids = ShippedPrompt.load().ids
        return cls(
            None,
            {
                "enable_time_marker": enable_time_marker,
                "audio_token_id": ids.audio_token_id,
                "audio_start_id": ids.audio_start_id,
                "audio_end_id": ids.audio_end_id,
            },
        )

    def save_pretrained(self, directory: str | Path) -> None:
        """Write what `from_pretrained` reads."""
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"processor_class": type(self).__name__, **self.config}, indent=2)
        (target / _CONFIG_NAME).write_text(text + "\n", encoding="utf-8")
        self.require_tokenizer().save_pretrained(str(target))

    def __call__(
        self,
        text: str,
        audio: ArrayLike,
        *,
        sampling_rate: int = SAMPLE_RATE,
        time_markers: bool | None = None,
    ) -> BatchFeature:
        """Return the model's inputs for one question about one clip.

        Args:
            text: see `prompt.build_prompt`.
            audio: see `waveform.prepare_waveform`.
            sampling_rate: of `audio`; anything but 16 kHz is resampled.
            time_markers: overrides the processor's own setting.

        Returns:
            `input_ids` `[1, length]` int64, `audio_features` `[1, mel_bins, samples // 160]` float32,
            `audio_slots` `[1, audio_tokens]` int64. No attention mask: nothing is padded.

        Raises:
            WaveformError: audio that the model cannot take.
            PromptError: a text that cannot become a prompt.
        """
        if not isinstance(text, str):
            raise PromptError("The text must be one string", hint="Ask one question at a time")
        if audio is None:
            raise WaveformError("There is no audio", hint="Give a waveform: float samples at 16 kHz")
        mel = self.log_mel(audio, sampling_rate)
        markers = self.time_markers if time_markers is None else time_markers
        tokens = audio_token_count(mel.shape[-1])
        prompt = build_prompt(text, tokens, self._tokenize, self.audio_ids, time_markers=markers)
        return BatchFeature(
            {
                "input_ids": torch.tensor([prompt.input_ids]),
                "audio_features": mel,
                "audio_slots": torch.tensor([prompt.audio_slots]),
            }
        )

    def log_mel(self, audio: ArrayLike, sampling_rate: int = SAMPLE_RATE) -> torch.Tensor:
        """Whisper's log-mel over the whole clip: `[1, mel_bins, samples // 160]` float32."""
        return self._log_mel(prepare_waveform(audio, sampling_rate))

    def decode(self, ids: Any, *, skip_special_tokens: bool = True) -> str:
        """Text of one sequence of ids; a batch of one is taken as that sequence."""
        flat = ids[0] if getattr(ids, "ndim", 1) == 2 and len(ids) == 1 else ids
        return cast(str, self.require_tokenizer().decode(flat, skip_special_tokens=skip_special_tokens))

    def batch_decode(self, ids: Any, *, skip_special_tokens: bool = True) -> list[str]:
        """Text of each sequence."""
        return [self.decode(each, skip_special_tokens=skip_special_tokens) for each in ids]

    def require_tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer.

        Raises:
            ProcessorError: there is none, see `without_tokenizer`.
        """
        if self.tokenizer is None:
            raise ProcessorError("This processor has no tokenizer", hint="Load it with from_pretrained")
        return self.tokenizer


def _tokenizer_call(tokenizer: PreTrainedTokenizerBase) -> Tokenize:
    def tokenize(piece: str) -> list[int]:
        return cast(list[int], tokenizer(piece, add_special_tokens=False)["input_ids"])

    return tokenize
