"""Opens the native engine on a device, with the instruments for that device."""

import torch
import transformers

from bench.engines.interface import EngineSetup, MemoryProfiler, OpenEngine
from bench.engines.native.cuda import open_context, require_cuda
from bench.engines.native.engine import NativeEngine, quiet_transformers
from bench.engines.native.flash_attention import flash_attention_problem
from bench.engines.native.memory import CudaMemory, TrackedMemory
from bench.engines.native.out_of_memory import out_of_memory
from bench.engines.native.sdpa import has_flash_kernels, sdpa_kernel
from bench.measure.clock import Stopwatch
from bench.measure.cuda import CudaAllocated, cuda_stopwatch
from bench.measure.kernels import KernelObserver
from bench.packages import version_of
from bench.records.cell import SubmoduleKernels
from bench.records.enums import Attention, WeightMode
from bench.records.reasons import FlashAttentionBroken


def open_native(setup: EngineSetup) -> OpenEngine:
    """Return the native engine with its instruments; no weights are loaded yet.

    Raises:
        MachineError: torch cannot use the device.
        FullCardError: not even a CUDA context fits.
        WeightsError: the checkpoint is not one of this architecture.
    """
    quiet_transformers()
    if setup.device == "cpu" and setup.source.weight_mode is WeightMode.TINY:
        # Its operators are too small for threads, which are slow on a busy machine.
        torch.set_num_threads(1)
    device, limit_bytes = torch.device(setup.device), setup.memory_limit_bytes
    on_cuda = setup.device == "cuda"
    problem: FlashAttentionBroken | None = None
    require_cuda(setup.device)
    if on_cuda:
        # Before this process reports to its parent, so that the driver lists it from then on.
        open_context(limit_bytes)
        problem = flash_attention_problem(device) if setup.flash_attention else None
    engine = NativeEngine(setup.source, device)
    facts = engine.facts(setup.dtype)
    memory: MemoryProfiler = (
        CudaMemory(engine, CudaAllocated(device))
        if on_cuda
        else TrackedMemory(engine, facts.weights_bytes, limit_bytes)
    )
    return OpenEngine(
        engine=engine,
        facts=facts,
        torch=torch.__version__,
        transformers=transformers.__version__,
        flash_attention_problem=problem,
        sdpa_kernel=sdpa_kernel(setup.device, setup.dtype),
        has_flash_kernels=has_flash_kernels(),
        stopwatch=(lambda: cuda_stopwatch(device)) if on_cuda else Stopwatch,
        memory=memory,
        kernels=AskedKernels,
        exhausted=lambda error, phase: out_of_memory(error, phase, device, limit_bytes),
    )


def or_not_observable(kernels: SubmoduleKernels) -> SubmoduleKernels:
    """Return the observed kernels of FlashAttention 2, or that this release hides them.

    flash-attn registers its kernels with torch from 2.7 on. The dispatcher does not see those of
    older releases.
    """
    if kernels.operators or hasattr(torch.ops.flash_attn, "_flash_attn_forward"):
        return kernels
    version = version_of("flash-attn")
    return SubmoduleKernels(attention=f"not observable (flash-attn {version})", operators=())


class AskedKernels(KernelObserver):  # type: ignore[no-untyped-call]
    """Observes the kernels of one pass with this requested attention."""

    def __init__(self, asked: Attention) -> None:
        super().__init__()
        self._asked = asked

    def language_model(self) -> SubmoduleKernels:
        """Return the kernels of the language model, as far as they can be observed."""
        seen = super().language_model()
        return or_not_observable(seen) if self._asked is Attention.FLASH_ATTENTION_2 else seen
