"""Simulates the same scenarios with every compiler, library, sanitizer and CPU there is, in one
partition and several, on one thread and several: one table of digests, which must all be equal.

Compiles only what the digests need, straight from the sources, into build/digest. What is missing
on this machine is left out with the reason. Exit status 1: digests differ, or nothing could be
compared. Arguments: parts of the names of the builds to compare, all by default.
"""

import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCENARIOS = ("lossy_wan", "hostile_link", "loss_bursts", "dumbbell", "incast", "satellite", "mesh",
             "bursts", "server_restarts")
COMPONENTS = ("base", "buffer", "wire", "metrics", "engine", "engine/congestion", "messaging",
              "runtime", "workload", "scenario")
FLAGS = ("-std=c++20", "-DNDEBUG", "-DFMT_HEADER_ONLY", '-DMDP_VERSION="digest"')
# Sockets and shared objects are of no use to a simulation, and of none in a static program.
LEFT_OUT = ("netsim/src/plugin.cpp",)
TIMEOUT_S = 600

FAST = ("g++", "-O3", "-march=native")
# Name, compiler, what runs the program, the program's options.
VARIANTS = (
    ("g++ -O0", ("g++", "-O0"), (), ()),
    ("g++ -O3 native", FAST, (), ()),
    ("8 partitions", FAST, (), ("--partitions=8",)),
    ("2 threads", FAST, (), ("--threads=2", "--partitions=2")),
    ("2 threads of 8", FAST, (), ("--threads=2", "--partitions=8")),
    ("clang libstdc++", ("clang++", "-O2"), (), ()),
    ("clang libc++", ("clang++", "-O2", "-stdlib=libc++"), (), ()),
    ("g++ asan ubsan", ("g++", "-O1", "-fsanitize=address,undefined",
                        "-fno-sanitize-recover=all"), (), ()),
    ("aarch64 g++", ("aarch64-linux-gnu-g++", "-O2", "-static"), ("qemu-aarch64-static",), ()),
)


# Program by folder.
BUILT = {}


def sources():
    found = []
    for component in COMPONENTS:
        found += sorted(glob.glob(os.path.join(ROOT, "framework/src", component, "*.cpp")))
    found += sorted(glob.glob(os.path.join(ROOT, "netsim/src/*.cpp")))
    found.append(os.path.join(ROOT, "tests/sim/digest/digest_of.cpp"))
    return [s for s in found if os.path.relpath(s, ROOT) not in LEFT_OUT]


def includes():
    folders = ["framework/include", "framework/src", "netsim/include", "netsim/src"]
    folders += ["framework/src/" + c for c in COMPONENTS]
    return ["-I" + os.path.join(ROOT, f) for f in folders]


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, **more)


def lacks(compiler, runner, folder):
    """Why this variant cannot be built and run here; None when it can."""
    for program in (compiler[0],) + runner:
        if shutil.which(program) is None:
            return f"{program} is not installed"
    probe = os.path.join(folder, "probe")
    text = "#include <vector>\nint main() { return static_cast<int>(std::vector<int>{}.size()); }\n"
    built = run([*compiler, *FLAGS, "-x", "c++", "-", "-o", probe], input=text)
    if built.returncode != 0:
        return " ".join(compiler) + " does not build a program: " + built.stderr.split("\n")[0]
    if run([*runner, probe]).returncode != 0:
        return "a program built by " + " ".join(compiler) + " does not run here"
    return None


def compile_all(compiler, folder):
    """The program's path. Exits with the compiler's words when a source does not compile."""
    launcher = ["ccache"] if shutil.which("ccache") else []

    def one(source):
        name = os.path.relpath(source, ROOT).replace("/", "_")[:-4] + ".o"
        target = os.path.join(folder, name)
        built = run([*launcher, *compiler, *FLAGS, *includes(), "-c", source, "-o", target])
        return target, source, built

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = []
        for target, source, built in pool.map(one, sources()):
            if built.returncode != 0:
                sys.exit(f"{source} does not compile with {' '.join(compiler)}:\n{built.stderr}")
            objects.append(target)
    program = os.path.join(folder, "digest_of")
    linked = run([*compiler, *objects, "-o", program, "-pthread"])
    if linked.returncode != 0:
        sys.exit(f"linking with {' '.join(compiler)} failed:\n{linked.stderr}")
    return program


def digests(variant):
    """(lines of the program, None) or (None, why not)."""
    name, compiler, runner, options = variant
    folder = os.path.join(ROOT, "build/digest", "_".join(compiler).replace("=", "_"))
    os.makedirs(folder, exist_ok=True)
    reason = lacks(compiler, runner, folder)
    if reason is not None:
        return None, reason
    if folder not in BUILT:
        BUILT[folder] = compile_all(compiler, folder)
    program = BUILT[folder]
    files = [os.path.join(ROOT, "scenarios", s + ".json") for s in SCENARIOS]
    begun = time.monotonic()
    simulated = run([*runner, program, *options, *files])
    if simulated.returncode != 0:
        sys.exit(f"{name}: {simulated.stderr}")
    print(f"{name}: simulated in {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)
    return simulated.stdout.splitlines(), None


def main():
    wanted = [v for v in VARIANTS if not sys.argv[1:] or any(a in v[0] for a in sys.argv[1:])]
    results = [(variant[0], *digests(variant)) for variant in wanted]
    simulated = [(name, lines) for name, lines, _ in results if lines is not None]
    for name, _, reason in results:
        if reason is not None:
            print(f"SKIPPED {name}: {reason}")
    if len(simulated) < 2:
        print("nothing to compare", file=sys.stderr)
        return 1
    points = [line.split()[0] for line in simulated[0][1]]
    print(f"{'':16}" + "".join(f"{name:>18}" for name, _ in simulated))
    different = 0
    for i, point in enumerate(points):
        row = [lines[i].split()[1] if i < len(lines) else "missing" for _, lines in simulated]
        equal = len({lines[i] if i < len(lines) else None for _, lines in simulated}) == 1
        different += not equal
        print(f"{point:16}" + "".join(f"{d:>18}" for d in row) + ("" if equal else "  DIFFERENT"))
    print(f"{len(points)} points, {len(simulated)} builds: "
          + ("all equal" if different == 0 else f"{different} differ"))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
