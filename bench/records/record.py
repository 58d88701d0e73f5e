"""The record of one run, as frozen pydantic models: the vocabulary that every other part shares.

Sizes are integers in bytes (`_bytes`), times seconds (`_s`), power watts (`_w`), energy joules (`_j`).
Not available is `None`, never 0. `docs/record.md` explains each name to those who read the JSON.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue, WithJsonSchema

from bench.records.base import Bytes, Frozen, PathName, Seconds, Sha256, Slug, Utc
from bench.records.card import DeviceState, Emulation
from bench.records.cell import CellResult
from bench.records.challenge import IssuedChallenge
from bench.records.enums import Provenance, WeightMode
from bench.records.prediction import Derivation

SCHEMA_VERSION: Final = "1.1"
"""Schema of the records that are written."""
READ_VERSIONS: Final = ("1.0", SCHEMA_VERSION)
"""Schemas of the records that are read. A field that 1.0 lacks is null in a record of 1.0."""

ContentHash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


# --- freshness --------------------------------------------------------------------------------------------

TokenIds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=1024)]


class CheckedAnswer(Frozen):
    """The answer in another record, to whose challenge this run answers again."""

    content_hash: ContentHash = Field(description="of that record")
    token_ids: TokenIds


class ChallengeRequest(Frozen):
    """A challenge to answer."""

    issued: IssuedChallenge
    checks: CheckedAnswer | None = Field(
        default=None, description="the record whose answer this run checks; null: the run asked the site"
    )


class AnsweredChallenge(Frozen):
    """The challenge cell and its answer."""

    cell: CellResult = Field(description="its figures are in nothing else; `repeats` is empty")
    token_ids: TokenIds | None = Field(description="of the answer; null where the cell did not run")


class Challenge(AnsweredChallenge, ChallengeRequest):
    """The challenge of a run, the excerpt of the shipped speech that follows from it, and the answer."""

    excerpt_starts: tuple[int, ...] = Field(
        max_length=64, description="first sample of each piece; docs/record.md has the formula"
    )


# --- the record -------------------------------------------------------------------------------------------


class SuiteInfo(Frozen):
    """The suite as it was run. `overrides` names the keys that the command line changed; `sha256` covers
    `definition`, which holds them too.
    """

    name: Slug
    version: str
    origin: Literal["shipped", "own"] | None = Field(
        default=None, description="own: a file that is not the suite that bench ships under this name"
    )
    sha256: Sha256 = Field(description="over the RFC 8785 form of the definition")
    overrides: tuple[str, ...] = ()
    definition: dict[str, JsonValue]


class WeightFile(Frozen):
    """One file of weights as found on disk; `sha256` was computed here, not taken from the Hub."""

    name: str
    size_bytes: Bytes
    sha256: Sha256


class ModelInfo(Frozen):
    """The model and its weight files."""

    name: PathName
    repo: str | None = Field(description="repository on the Hub; null for a local, random or tiny model")
    revision: str | None = Field(description="resolved commit on the Hub")
    weight_mode: WeightMode
    config_sha256: Sha256
    parameters: int | None
    weights_bytes: Bytes | None
    files: tuple[WeightFile, ...] = ()


class DeviceInfo(Frozen):
    """The device as found on this machine."""

    kind: Literal["cpu", "cuda"]
    slug: Slug
    name: str
    memory_total_bytes: Bytes | None
    compute_capability: str | None = None
    driver: str | None = None
    catalogued: bool | None = Field(default=None, description="whether the catalog has it; null for a CPU")
    memory_bandwidth_bytes_per_s: float | None = Field(default=None, description="from the catalog")
    bf16_operations_per_s: float | None = Field(
        default=None, description="from the catalog: dense, FP32 accumulate"
    )


class Environment(Frozen):
    """Software and host. Holds no host name, user name, path or serial number."""

    bench_version: str
    bench_commit: str | None
    bench_dirty: bool | None
    python: str
    torch: str | None = Field(description="as the worker imported it; null for an engine without it")
    transformers: str | None = Field(description="as the worker imported it; null for an engine without it")
    has_flash_kernels: bool | None = Field(
        default=None,
        description="whether this torch contains flash kernels of SDPA for cards; null: no torch, not known",
    )
    packages: dict[str, str]
    variables: dict[str, str] = Field(
        default_factory=dict, description="environment variables that change memory or speed, where set"
    )
    os: str
    kernel: str
    cpu: str | None
    cpu_cores: int | None
    ram_bytes: Bytes | None


class Record(Frozen):
    """The JSON document of one run."""

    schema_version: Annotated[
        Literal["1.0", "1.1"], WithJsonSchema({"const": SCHEMA_VERSION, "type": "string"})
    ] = Field(description="1.0 only in a record that was read from such a file")
    record_id: str = Field(pattern=r"^[0-9a-f]{12}$")
    content_hash: ContentHash = Field(description="over the RFC 8785 form of all else")
    created_at: Utc
    provenance: Provenance
    suite: SuiteInfo
    model: ModelInfo
    device: DeviceInfo
    environment: Environment
    machine_key: str | None
    device_state: DeviceState | None = Field(
        default=None, description="the card as it was found, before the first CUDA call of the run"
    )
    emulation: Emulation | None = Field(
        default=None, description="the smaller card that this device emulated"
    )
    frontier_step_s: Seconds | None = Field(
        default=None, description="clip lengths were chosen by bisection to this step, not by the suite"
    )
    derivation: Derivation | None = Field(
        default=None, description="how a derived record came about; null where something ran"
    )
    challenge: Challenge | None = Field(
        default=None,
        exclude_if=lambda challenge: challenge is None,
        description="a nonce that was new when the run began, and its answer; left out without one",
    )
    cells: tuple[CellResult, ...]

    @property
    def failed(self) -> tuple[CellResult, ...]:
        """The cells that failed or timed out, that of the challenge included."""
        challenged = () if self.challenge is None else (self.challenge.cell,)
        return tuple(cell for cell in (*self.cells, *challenged) if cell.has_failed)
