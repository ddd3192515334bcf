#!/usr/bin/env python3
"""compare_torch.py: seconds an epoch of the MNIST classifier by PyTorch beside Washi's, run in turn.

usage: compare_torch.py [build folder] [rounds] [threads ...]     (build, 3, 1 and 2)

The same training on both sides, on random pixels in MNIST's shapes: 784-64-64-10, tanh, softmax and
crossentropy, SGD 0.01, batches of 64 in a new order each epoch. PyTorch has its best settings here: the
pixels as bytes, gathered by index_select into one buffer, gradients kept as zeroed buffers, the update by
_foreach_add_, and of its AVX2 and AVX-512 kernels the faster. A line for each number of threads; what was measured so far
goes to stderr, as a round takes half a minute. Where this Python has no torch, Debian's is asked."""
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

IMAGES, BATCH, RATE, EPOCHS = 60000, 64, 0.01, 4
LIMIT = 120  # seconds that one program may take


def train(threads):
    """Trains in this process and prints the median seconds of the epochs after the first."""
    import time

    import torch
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    pixels = torch.randint(0, 256, (IMAGES, 784), dtype=torch.uint8)
    labels = torch.randint(0, 10, (IMAGES,))
    sizes = [784, 64, 64, 10]
    weights = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        limit = (6 / (inputs + outputs)) ** 0.5
        weights += [torch.empty(outputs, inputs).uniform_(-limit, limit), torch.zeros(outputs)]
    for w in weights:
        w.requires_grad_()
    batch = torch.empty(BATCH, 784, dtype=torch.uint8)
    seconds = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        order = torch.randperm(IMAGES)
        for first in range(0, IMAGES, BATCH):
            index = order[first:first + BATCH]
            if len(index) == BATCH:
                torch.index_select(pixels, 0, index, out=batch)
                x = batch.float().mul_(1 / 255)
            else:
                x = pixels[index].float().mul_(1 / 255)
            h = torch.tanh(F.linear(x, weights[0], weights[1]))
            h = torch.tanh(F.linear(h, weights[2], weights[3]))
            loss = F.cross_entropy(F.linear(h, weights[4], weights[5]), labels[index])
            gradients = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                torch._foreach_add_(weights, list(gradients), alpha=-RATE)
        seconds.append(time.perf_counter() - start)
    print(statistics.median(seconds[1:]))


def run(command, **environment):
    """The command's output."""
    try:
        return subprocess.run(command, env=dict(os.environ, **environment), check=True, stdout=subprocess.PIPE,
                              timeout=LIMIT).stdout
    except subprocess.TimeoutExpired:
        sys.exit(f"compare_torch: {command[0]} took more than {LIMIT} s; is the machine busy?")
    except subprocess.CalledProcessError as error:
        sys.exit(f"compare_torch: {command[0]} failed: {error}")


def python_with_torch():
    for python in (sys.executable, "/usr/bin/python3"):
        if Path(python).exists() and not subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
            return python
    return None


def torch_epoch(python, threads, level):
    return float(run([python, __file__, "--train", str(threads)], ATEN_CPU_CAPABILITY=level,
                     OMP_NUM_THREADS=str(threads)))


def washi_epoch(program, threads):
    command = [program, f"--benchmark_filter=mnist_epoch/threads:{threads}/", "--benchmark_format=json"]
    return json.loads(run(command))["benchmarks"][0]["real_time"] / 1000


def main():
    if sys.argv[1:2] == ["--train"]:
        return train(int(sys.argv[2]))
    program = Path(sys.argv[1] if len(sys.argv) > 1 else "build") / "benchmarks" / "bench_mnist"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    counts = [int(n) for n in sys.argv[3:]] or range(1, min(os.cpu_count() or 1, 2) + 1)
    python = python_with_torch()
    if not python:
        sys.exit("compare_torch: PyTorch is not installed (Debian: apt install python3-torch); "
                 "nothing was compared")
    if not program.exists():
        sys.exit(f"compare_torch: there is no {program}; build it with meson and ninja first")
    for threads in counts:
        ours, theirs = [], []
        for i in range(rounds):
            levels = [torch_epoch(python, threads, level) for level in ("avx2", "avx512")]
            theirs.append(min(levels))
            ours.append(washi_epoch(program, threads))
            print(f"threads {threads}, round {i + 1} of {rounds}: PyTorch at AVX2 {levels[0]:.3f} s, at AVX-512 "
                  f"{levels[1]:.3f} s, Washi {ours[-1]:.3f} s", file=sys.stderr, flush=True)
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"threads {threads}: Washi {a:.3f} s ({min(ours):.3f} ... {max(ours):.3f}), "
              f"PyTorch {b:.3f} s ({min(theirs):.3f} ... {max(theirs):.3f}), {b / a:.2f} times", flush=True)


if __name__ == "__main__":
    main()
