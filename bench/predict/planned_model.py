"""The model of a plan, without loading it: shapes, sizes, and the length of prompts.

Imports no torch, unless a prompt of one's own has to be counted with the tokenizer of a directory.
"""

from typing import Final

from bench.arithmetic.architecture import parameters
from bench.arithmetic.shapes import Shapes, shapes_of
from bench.engines.native.profiles import settings_of
from bench.engines.support import audio_positions
from bench.errors import BenchError, WeightsError
from bench.moss_audio.prompt import ShippedPrompt, split_text
from bench.predict.source import Source
from bench.records.cell import Requested
from bench.records.record import ModelInfo

_ELEMENT_BYTES: Final = {"float32": 4, "float16": 2, "bfloat16": 2}


class PlannedModel:
    """The sizes of a model in one type of numbers, and the lengths of its prompts.

    Attributes:
        source: its configuration, and where its weights are from.
        shapes: of the architecture.
        dtype: the type of its numbers, such as `bfloat16`.
        element_bytes: the size of one number.
    """

    def __init__(self, source: Source, dtype: str) -> None:
        self.source: Final = source
        self.dtype: Final = dtype
        self.shapes: Final[Shapes] = shapes_of(source.config)
        self.element_bytes: Final[int] = _ELEMENT_BYTES[dtype]
        self._text_tokens: dict[str, int] = {}

    @property
    def weights_bytes(self) -> int:
        """Return the bytes of all weights."""
        return parameters(self.shapes).total * self.element_bytes

    @property
    def info(self) -> ModelInfo:
        """Return the model in the form of a record."""
        origin = self.source.origin
        return ModelInfo(
            name=origin.name,
            repo=origin.repo,
            revision=self.source.commit,
            weight_mode=origin.weight_mode,
            config_sha256=self.source.config_sha256,
            parameters=parameters(self.shapes).total,
            weights_bytes=self.weights_bytes,
        )

    def prompt_tokens(self, requested: Requested) -> int:
        """Return the length of the prefill: text, audio, its bounds and its markers.

        Raises:
            UsageError: a prompt that cannot be counted without a tokenizer.
        """
        text = self._text_tokens.get(requested.prompt)
        if text is None:
            text = self._text_tokens[requested.prompt] = self._count(requested.prompt)
        return text + audio_positions(requested.clip_seconds, requested.time_markers)

    def logits_positions(self, requested: Requested) -> int:
        """Return the number of prompt positions for which a profile computes logits."""
        every = settings_of(requested.profile).logits_positions == "all"
        return self.prompt_tokens(requested) if every else 1

    def _count(self, prompt: str) -> int:
        tokenizer = self.source.tokenizer
        if tokenizer is None:
            tokenize = ShippedPrompt.load().tokenize
            return sum(len(tokenize(piece)) for piece in split_text(prompt))
        from bench.moss_audio.processing import MossAudioProcessor

        try:
            text = MossAudioProcessor.from_pretrained(tokenizer).require_tokenizer()
            return sum(
                len(text(piece, add_special_tokens=False)["input_ids"]) for piece in split_text(prompt)
            )
        except BenchError:
            raise
        except Exception as error:
            raise WeightsError(
                f"The tokenizer in {tokenizer} cannot be loaded ({type(error).__name__})",
                hint="Download it again, or point --model to a complete MOSS-Audio checkpoint",
            ) from error
