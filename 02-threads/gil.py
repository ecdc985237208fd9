# What CPython's global interpreter lock does to two threads: no gain where both compute, and a late
# awakening where one computes and the other only wants to wait.

import statistics
import threading
import time


def count(n=6_000_000):
    while n: n -= 1


def seconds(job):
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def on_two_threads():
    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()


def lateness():  # the median, in milliseconds
    return 1000 * statistics.median(seconds(lambda: time.sleep(0.001)) - 0.001 for _ in range(200))


print(f"two computations, one after the other  {seconds(lambda: (count(), count())):.2f} s")
print(f"two computations, on two threads       {seconds(on_two_threads):.2f} s")
print(f"a sleep of 1 ms ends late by           {lateness():.1f} ms")
threading.Thread(target=count, args=[-1], daemon=True).start()  # never ends
print(f"and beside a thread that computes, by  {lateness():.1f} ms")
