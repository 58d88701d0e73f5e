"""From facts to the whole diagnosis: every rule in order, then the conclusion. Pure."""

from collections.abc import Iterable

from bench.doctor.checks import attention, compute, memory, software, use
from bench.doctor.facts import Card, Facts
from bench.doctor.interface import MODEL, ORDER, Check, Diagnosis, Gpu, Machine


def diagnose(facts: Facts) -> Diagnosis:
    """Return the diagnosis. A run is possible only if the command that it names is."""
    checks = _kept(
        software.python(facts.host),
        software.torch(facts),
        *software.packages(facts),
        software.gpu(facts),
        *software.unusable(facts),
        software.driver(facts),
        attention.attention_on_cpu(facts),
        memory.weights(facts),
        memory.ram(facts),
    )
    machine_works = not _has_problem(checks)
    gpus = tuple(_gpu(card, facts, machine_works) for card in facts.cards)
    can_run = any(gpu.can_run for gpu in gpus) if gpus else machine_works
    conclusion, command = _conclude(facts, checks, gpus) if can_run else _refuse(checks, gpus)
    return Diagnosis(
        can_run=can_run,
        conclusion=conclusion,
        next_command=command,
        machine=_machine(facts),
        gpus=gpus,
        checks=checks,
    )


def in_order(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Sort findings by the order of repair; those without a remedy come first."""
    return tuple(sorted(checks, key=lambda check: (check.mendable, ORDER.index(check.name))))


def _kept(*checks: Check | None) -> tuple[Check, ...]:
    return in_order(check for check in checks if check is not None)


def _has_problem(checks: Iterable[Check]) -> bool:
    return any(check.status == "problem" for check in checks)


def _gpu(card: Card, facts: Facts, machine_works: bool) -> Gpu:
    checks = _kept(
        _unknown_card(card),
        compute.kernels(card, facts),
        compute.bf16(card),
        attention.attention(card, facts),
        compute.flash_attention(card, facts),
        memory.vram(card, facts.host),
        use.processes(card, facts.host),
        use.display(card, facts.host),
        use.power(card, facts),
        use.spill(facts.host),
    )
    return Gpu(
        slug=card.slug,
        name=card.name,
        compute_capability=card.compute_capability,
        driver=card.driver,
        driver_cuda=card.driver_cuda,
        is_mig=card.is_mig,
        memory_total_bytes=card.memory_total_bytes,
        budget=card.state.budget,
        can_run=machine_works and not _has_problem(checks),
        checks=checks,
    )


def _unknown_card(card: Card) -> Check | None:
    if card.catalogued:
        return None
    return Check(name="GPU", status="note", summary=f"not in the catalog: it runs under the name {card.slug}")


def _machine(facts: Facts) -> Machine:
    host, torch = facts.host, facts.torch
    return Machine(
        os=host.os,
        python=".".join(map(str, host.python)),
        torch=torch.version if torch else None,
        torch_cuda=torch.cuda if torch else None,
        ram_total_bytes=host.ram_total_bytes,
        ram_available_bytes=host.ram_available_bytes,
        container=host.container,
        wsl2=host.wsl2,
    )


def _conclude(facts: Facts, checks: tuple[Check, ...], gpus: tuple[Gpu, ...]) -> tuple[str, str]:
    if not gpus:
        return _on_the_cpu(facts)
    best = max((gpu for gpu in gpus if gpu.can_run), key=lambda gpu: gpu.budget.now_bytes or 0)
    warnings = sum(check.status == "warning" for check in (*checks, *best.checks))
    but = f", with {_counted(warnings, 'warning')} above" if warnings else ""
    return f"{MODEL} can run on {best.slug}{but}.", f"bench run --gpu {best.slug}"


def _on_the_cpu(facts: Facts) -> tuple[str, str]:
    can_4b = facts.host.ram_available_bytes >= memory.CPU_RUN_BYTES
    command = "bench run --device cpu" if facts.cpu_wanted else "bench run"
    if can_4b:
        return (
            "The smoke suite can run on this CPU; the 4B model too, but slowly (--device cpu --suite quick).",
            command,
        )
    return "The smoke suite, with a tiny model, can run on this CPU.", command


def _refuse(checks: tuple[Check, ...], gpus: tuple[Gpu, ...]) -> tuple[str, str | None]:
    """Return that only another card helps, or the first repair. Of several cards, the nearest to working."""
    nearest = min(gpus, key=lambda gpu: (_is_hopeless(gpu), len(_problems(gpu.checks))), default=None)
    problems = _problems(in_order((*checks, *(nearest.checks if nearest else ()))))
    if nearest is not None and _is_hopeless(nearest):
        names = " and ".join(check.name for check in problems if not check.mendable)
        return f"{MODEL} cannot run on {nearest.slug}, and no setting changes that: see {names}.", None
    first, later = problems[0], len(problems) - 1
    then = f" ({_counted(later, 'more problem')} after that)" if later else ""
    what = first.name if first.command or not first.fix else first.fix
    return f"{MODEL} cannot run here yet. Fix first: {what}{then}.", first.command


def _is_hopeless(gpu: Gpu) -> bool:
    return any(check.status == "problem" and not check.mendable for check in gpu.checks)


def _problems(checks: Iterable[Check]) -> list[Check]:
    return [check for check in checks if check.status == "problem"]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
