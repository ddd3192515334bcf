#!/usr/bin/env python3
"""bench_report.py: what tools/bench.sh measured, as docs/benchmarks.md and two pictures drawn by gnuplot.
usage: bench_report.py <build folder with bench_*.json> <docs folder> <the command that measured>"""
import json
import pathlib
import platform
import re
import subprocess
import sys

LEVELS = ["avx512", "avx2", "neon", "scalar"]  # the best first
CACHES = {4096: "in the first-level cache", 65536: "in the second-level cache", 1 << 24: "in memory"}
PEERS = ["openblas", "blis", "onednn", "onednn-sgemm", "libxsmm"]
# Okabe and Ito's colours, told apart by colour-blind readers too.
COLORS = ["#D55E00", "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#CC79A7"]
PACKAGES = ["libsleef3", "libbenchmark1debian", "libopenblas0", "libblis4", "libdnnl2", "libdnnl3",
            "libxsmm-dev"]


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def read_kernels(runs):
    """{(type, kernel, elements): {level: run}}"""
    kernels = {}
    for run in runs:
        level, kind, kernel, elements = run["name"].split("/")
        kernels.setdefault((kind, kernel, int(elements)), {})[level] = run
    return kernels


def read_products(runs):
    """{(shape, threads): {library: GFLOP/s}}, the best of its turns, and {threads: the machine's peak}"""
    products, peak = {}, {}
    for run in sorted(runs, key=lambda r: r["family_index"]):
        if run["run_type"] != "iteration" or "GFLOPS" not in run:
            continue
        shape, library, threads = re.fullmatch(r"(.*?)/(.*?)/threads:(\d).*", run["run_name"]).groups()
        row = products.setdefault((shape, int(threads)), {})
        row[library] = max(row.get(library, 0), run["GFLOPS"])
        peak[int(threads)] = 100 * run["GFLOPS"] / run["percent"]
    return products, peak


def best_of(row, ours):
    found = [(value, name) for name, value in row.items() if name.startswith("washi") == ours]
    return max(found, default=(0, ""))


def machine(build):
    about = dict(re.findall(r"(model name|cpu family|model)\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text()))
    cpu = about.get("model name", platform.machine())
    if "cpu family" in about:
        cpu += f" (family {about['cpu family']}, model {about['model']})"
    context = json.loads((build / "bench_simd.json").read_text())["context"]
    caches = ", ".join(f"L{c['level']} {c['type'].lower()} {c['size'] // 1024} KiB" for c in context["caches"])
    versions = []
    for package in PACKAGES:
        version = output_of("dpkg-query", "-W", "-f", "${Version}", package)
        if version:
            versions.append(f"{package} {version}")
    version = output_of("git", "-C", pathlib.Path(__file__).parent, "describe", "--always", "--dirty")
    return "\n".join([
        f"- date: {context['date'][:10]}",
        f"- processor: {cpu}, {context['num_cpus']} hardware threads; {caches}",
        f"- load before the kernels' turn: {context['load_avg'][0]:.1f} (0 would be a machine that does nothing else)",
        f"- system: {platform.system()} {platform.release()}, {output_of('cc', '--version').splitlines()[0]}",
        f"- libraries: {', '.join(versions)}",
        f"- Washi: {version}", ""])


def classifier(runs):
    who = {"mnist_epoch": "Washi", "openblas_epoch": "by hand on OpenBLAS"}
    best = {}
    for run in runs:
        if run["run_type"] == "iteration" and not run.get("error_occurred"):
            key = run["name"].split("/")[0], re.search(r"threads:(\d)", run["name"]).group(1)
            best[key] = min(run, best.get(key, run), key=lambda r: r["real_time"])
    rows = [[f"{who[name]} {run.get('label', '')}".strip(), threads, f"{run['real_time'] / 1000:.3f}",
             f"{run['items_per_second']:,.0f}"] for (name, threads), run in best.items()]
    return table(["", "threads", "seconds an epoch", "images a second"], rows)


def product_table(products, peak, threads):
    names = {name for (_, count), row in products.items() if count == threads for name in row}
    columns = [f"washi-{level}" for level in LEVELS if f"washi-{level}" in names] + [n for n in PEERS if n in names]
    rows = []
    for (shape, count), row in products.items():
        if count != threads:
            continue
        (ours, _), (theirs, _) = best_of(row, True), best_of(row, False)
        rows.append([shape] + [f"{row[name]:.1f}" if name in row else "" for name in columns]
                    + [f"{100 * ours / peak[threads]:.0f}", f"{ours / theirs:.2f}" if theirs else ""])
    return table(["m x n x k"] + columns + ["% of peak", "to the best peer"], rows)


def kernel_table(kernels, kind, elements):
    names = [key[1] for key in kernels if key[0] == kind and key[2] == elements]
    levels = [l for l in reversed(LEVELS) if any(l in row for row in kernels.values())]
    rows = []
    for name in names:
        row = kernels[kind, name, elements]
        best = min((l for l in levels if l in row), key=lambda l: row[l]["ns"])
        rows.append([f"`{name}`"] + [f"{row[l]['ns']:.3f}" if l in row else "" for l in levels]
                    + [f"{row[best]['GB/s']:.1f}", f"{row[best]['%bw']:.0f}"])
    return table(["kernel"] + [f"{l}, ns" for l in levels] + ["GB/s", "% of bandwidth"], rows)


def draw(picture, lines):
    """Draws a picture; a gnuplot that is missing or fails is said, and the page goes without."""
    script = [f"set terminal svg size 900,560 font 'sans-serif,13' background rgb 'white'",
              f"set output '{picture}'", "set border 3", "set tics nomirror"]
    try:
        subprocess.run(["gnuplot"], input="\n".join(script + lines) + "\n", text=True, check=True)
        return True
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"bench_report: no {picture.name}: {error}", file=sys.stderr)
        return False


def tape(runs):
    what = {"record": "recording", "differentiate": "differentiating", "compile/gradient:0": "compiling the value",
            "compile/gradient:1": "compiling value and gradient", "replay/gradient:0": "replaying the value",
            "replay/gradient:1": "replaying value and gradient"}
    costs = {}
    for run in runs:
        if run["run_type"] == "iteration":
            costs[run["run_name"]] = min(costs.get(run["run_name"], 1), run["op"])
    return table(["one op", "ns"], [[text, f"{costs[name] * 1e9:.0f}"] for name, text in what.items()])


def data_block(name, rows):
    return [f"${name} << END"] + [" ".join(f'"{cell}"' if isinstance(cell, str) else f"{cell:.5g}" for cell in row)
                                  for row in rows] + ["END"]


def draw_roofline(picture, kernels, products, peak):
    roofs = []  # the most that plain loops reach at each size
    for elements in CACHES:
        runs = [run for name in ("add", "dot:n", "fold_last_sum:n") for run in kernels["f32", name, elements].values()]
        roofs.append((max(100 * run["GB/s"] / run["%bw"] for run in runs), CACHES[elements]))
    points = {"sums and products of elements": [], "matrix products": []}
    for name, flops in (("add", 1), ("dot:n", 2), ("fold_last_sum:n", 1)):
        for elements in CACHES:
            run = min(kernels["f32", name, elements].values(), key=lambda r: r["ns"])
            points["sums and products of elements"].append((flops / (run["GB/s"] * run["ns"]), flops / run["ns"]))
    for (shape, threads), row in products.items():
        m, n, k = (int(x) for x in re.match(r"(\d+)x(\d+)x(\d+)", shape).groups())
        if threads == 1:
            points["matrix products"].append((m * n * k / (2.0 * (m * n + n * k + m * k)), best_of(row, True)[0]))
    lines = ["set logscale xy", "set xrange [0.06:300]", "set yrange [1:400]", "set samples 600",
             "set key bottom right", "set grid",
             "set title 'Float on one thread, best level: speed under what the machine allows'",
             "set xlabel 'arithmetic intensity: operations for each byte of operands and result'",
             "set ylabel 'GFLOP/s'", f"limit(x, b) = x * b < {peak[1]:.4g} ? x * b : {peak[1]:.4g}"]
    for i, rows in enumerate(points.values()):
        lines += data_block(f"points{i}", rows)
    curves = [f"limit(x, {speed:.4g}) with lines lw 2 dt {i + 1} lc rgb '{COLORS[i + 1]}' "
              f"title 'limit {where}: {speed:.0f} GB/s, {peak[1]:.0f} GFLOP/s'" for i, (speed, where) in enumerate(roofs)]
    marks = [f"$points{i} using 1:2 with points pt {5 + 2 * i} ps 0.9 lc rgb '{color}' title '{title}'"
             for i, (title, color) in enumerate(zip(points, ("#000000", COLORS[0])))]
    return draw(picture, lines + ["plot " + ", ".join(curves + marks)])


def draw_peers(picture, products, peak):
    shapes = [(shape, row) for (shape, threads), row in products.items() if threads == 1]
    peers = [p for p in PEERS if any(p in row for _, row in shapes)]
    rows = [[shape, best_of(row, True)[0]] + [row.get(p, 0.0) for p in peers] for shape, row in shapes]
    lines = ["set style data histograms", "set style histogram clustered gap 1", "set style fill solid noborder",
             "set xtics rotate by 35 right", "set key outside top center horizontal", f"set yrange [0:{peak[1] * 1.08:.4g}]",
             "set title 'Matrix products of floats on one thread'", "set xlabel 'm x n x k; T: stored transposed'",
             "set ylabel 'GFLOP/s'", "set grid ytics"] + data_block("rows", rows)
    bars = [f"$rows using {i + 2}{':xtic(1)' if i == 0 else ''} lc rgb '{COLORS[i]}' title '{name}'"
            for i, name in enumerate(["washi"] + peers)]
    peak_line = f"{peak[1]:.4g} with lines lw 1 dt 2 lc rgb 'black' title 'peak'"
    return draw(picture, lines + ["plot " + ", ".join(bars + [peak_line])])


def main():
    build, docs = (pathlib.Path(name) for name in sys.argv[1:3])
    runs = {name: json.loads((build / f"bench_{name}.json").read_text())["benchmarks"]
            for name in ("simd", "gemm", "mnist", "tape")}
    kernels = read_kernels(runs["simd"])
    products, peak = read_products(runs["gemm"])
    page = ["# Benchmarks\n", f"Written by `sh {sys.argv[3]}`, which measures all of it anew.\n", machine(build),
            "## The classifier\n",
            "One epoch of the MNIST classifier (784-64-64-10, tanh, batches of 64, SGD) through `washi_fit`, and the\n"
            "same written by hand, on random pixels in MNIST's shapes; the best of a few.\n", classifier(runs["mnist"]), "## The tape\n",
            "What each op of a chain of 1000 scalar ones costs, the kernels doing next to nothing; the best of a few.\n",
            tape(runs["tape"]), "## Matrix products\n",
            "GFLOP/s in float, in one process, each taking many short turns in random order, of which the best counts:\n"
            "other work on the machine can only slow a turn down. T: stored transposed. The last column is the best level\n"
            "to the best peer.\n"]
    if draw_peers(docs / "benchmarks-peers.svg", products, peak):
        page.append("![Bars: GFLOP/s of each library at each shape](benchmarks-peers.svg)\n")
    for threads in sorted(peak):
        page += [f"### {threads} thread{'s' * (threads > 1)}, peak {peak[threads]:.0f} GFLOP/s\n",
                 product_table(products, peak, threads)]
    page += ["## Kernels\n", "One thread, ns an element. GB/s and per cent of the bandwidth are those of the fastest level; the\n"
             "bandwidth is what a plain loop of the same traffic reaches with arrays of that size. A name's number is\n"
             "the length of a row; `n`: one row.\n"]
    if draw_roofline(docs / "benchmarks-roofline.svg", kernels, products, peak):
        page.append("![Roofline: GFLOP/s over operations a byte](benchmarks-roofline.svg)\n")
    for kind in dict.fromkeys(key[0] for key in kernels):
        for elements in CACHES:
            page += [f"### {kind}, {elements} elements, {CACHES[elements]}\n", kernel_table(kernels, kind, elements)]
    (docs / "benchmarks.md").write_text("\n".join(page))


if __name__ == "__main__":
    main()
