"""Speed measured in pairs: two child processes, one round each in turn, so that a busy machine slows both alike.

A child is any program that prints {"ready": true, …} and then, for each task named on its stdin, one line of JSON with
a "rate" (see llamacpp_child.py). Needs nothing but the standard library, and Linux's /proc.
    python peers.py --env ENV --models DIR [--rounds 5]                   llama.cpp alone: its table
    python peers.py --env ENV --models DIR --model tinyllama-q4_0 --against 'COMMAND …' [--tasks prefill decode]
ENV is the environment that holds `llama_cpp` (default: $EDGEKIT_LLAMACPP).
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

CHILD = Path(__file__).with_name("llamacpp_child.py")
TEXT_TASKS, VISION_TASKS = ("prefill", "decode", "rows"), ("image",)
QUIET = 0.08  # the share of the machine that others may take in a round that counts as undisturbed


@dataclass(frozen=True)
class Round:
    rate: float
    others: float  # the share of the machine's processor time that went to other processes

    @property
    def quiet(self) -> bool:
        return self.others <= QUIET


def machine_ticks() -> tuple[int, int]:
    """Processor time of the whole machine: all, and busy."""
    ticks = [int(t) for t in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks), sum(ticks) - ticks[3] - ticks[4]


def own_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def settle(patience: float) -> None:
    """Wait until the machine has been idle for half a second; give up after `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        total, busy = machine_ticks()
        time.sleep(0.5)
        total_after, busy_after = machine_ticks()
        if busy_after - busy <= QUIET * (total_after - total):
            return


class Peer:
    """A measuring child process; `run(task)` is one round."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"the process ended ({self.process.wait()})"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def run(self, task: str) -> Round:
        assert self.process.stdin
        total, busy, own = *machine_ticks(), own_ticks(self.process.pid)
        print(task, file=self.process.stdin, flush=True)
        rate = float(self._answer()["rate"])
        total_after, busy_after = machine_ticks()
        others = busy_after - busy - (own_ticks(self.process.pid) - own)
        return Round(rate, max(0, others) / max(1, total_after - total))

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.communicate()  # closes its stdin: it ends by itself


def llamacpp(env: Path, model: Path, *options: str) -> Peer:
    kind = "vision" if model.name.startswith("clip") else "text"
    return Peer([env / "bin" / "python", CHILD, kind, model, *options])


@dataclass(frozen=True)
class Pairs:
    task: str
    pairs: tuple[tuple[Round, Round], ...]

    def __str__(self) -> str:
        quiet = [pair for pair in self.pairs if pair[0].quiet and pair[1].quiet]
        shown = quiet or self.pairs
        ratios = sorted(ours.rate / theirs.rate for ours, theirs in shown)
        ours, theirs = (statistics.median(pair[side].rate for pair in shown) for side in (0, 1))
        return (
            f"{self.task:8} {ours:8.2f} against {theirs:8.2f} /s: {statistics.median(ratios):.2f} times "
            f"({ratios[0]:.2f}-{ratios[-1]:.2f}; {len(quiet)} of {len(self.pairs)} pairs undisturbed)"
        )


def alternate(ours: Peer, theirs: Peer, task: str, rounds: int, patience: float = 0) -> Pairs:
    """Rounds in the order ab ba ab …, after one of each that is not counted."""
    ours.run(task), theirs.run(task)
    pairs = []
    for n in range(rounds):
        settle(patience)
        if n % 2 == 0:
            pairs.append((ours.run(task), theirs.run(task)))
        else:
            second, first = theirs.run(task), ours.run(task)
            pairs.append((first, second))
    return Pairs(task, tuple(pairs))


def table(peer: Peer, tasks: Sequence[str], rounds: int, patience: float = 0) -> None:
    for task in tasks:
        every = []
        for _ in range(rounds):
            settle(patience)
            every.append(peer.run(task))
        quiet = [r for r in every if r.quiet]
        rates = sorted(r.rate for r in quiet or every)
        spread = f"{rates[0]:.2f}-{rates[-1]:.2f}; {len(quiet)} of {rounds} rounds undisturbed"
        print(f"  {task:8} {statistics.median(rates):8.2f} /s ({spread})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", type=Path, default=os.environ.get("EDGEKIT_LLAMACPP"))
    parser.add_argument("--models", type=Path, required=True, help="what llamacpp_models.py wrote")
    parser.add_argument("--model", nargs="+", help="names of the GGUF files; without it all of them")
    parser.add_argument("--against", help="the other child's command line; needs one --model")
    parser.add_argument("--tasks", nargs="+", help="of prefill, decode, rows, image")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--patience", type=float, default=0, help="seconds to wait before a round for an idle machine")
    parser.add_argument("options", nargs="*", help="after --: options of llamacpp_child.py")
    args = parser.parse_args()
    if args.env is None:
        parser.error("--env or $EDGEKIT_LLAMACPP must name the environment that holds llama_cpp")
    for name in args.model or sorted(path.stem for path in args.models.glob("*.gguf")):
        tasks = args.tasks or (VISION_TASKS if name.startswith("clip") else TEXT_TASKS)
        with llamacpp(Path(args.env), args.models / f"{name}.gguf", *args.options) as theirs:
            print(name, json.dumps(theirs.ready), flush=True)
            if not args.against:
                table(theirs, tasks, args.rounds, args.patience)
                continue
            with Peer(shlex.split(args.against)) as ours:
                for task in tasks:
                    print(alternate(ours, theirs, task, args.rounds, args.patience), flush=True)


if __name__ == "__main__":
    main()
