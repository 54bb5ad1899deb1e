"""One heap for all threads."""

import os
import subprocess
import sys

HELD = """
import ctypes, sys, threading
from shared.heap import share_one_heap
if sys.argv[1:]:
    share_one_heap()
barrier = threading.Barrier(8)
def take():
    kept = [bytearray(4_000) for _ in range(100)]
    barrier.wait()
threads = [threading.Thread(target=take) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
ctypes.CDLL(None).malloc_info(0, ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stdout"))
"""


def heaps(*arguments: str) -> int:
    untuned = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", HELD, *arguments]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=untuned)
    return told.stdout.count("<heap nr=")


def test_threads_share_what_others_would_have_each_for_themselves() -> None:
    assert (heaps("share"), heaps() > 1) == (1, True)


FAULTS = """
import resource, sys
from shared.heap import keep_what_is_given_back
if sys.argv[1:]:
    keep_what_is_given_back()
def fill():
    return [bytes(300_000) for _ in range(4)]
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*arguments: str) -> int:
    """How many pages the kernel had to give."""
    untuned = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", FAULTS, *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, env=untuned).stdout)


def test_who_asks_for_much_again_and_again_gets_the_same_pages() -> None:
    assert faults("keep") < 500 < faults()
