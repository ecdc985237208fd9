# What Python's global interpreter lock (GIL) costs: two threads that compute take as long as one
# that does both jobs, and a thread that waits wakes late beside one that computes.

import statistics
import threading
import time


def work(stop=None):
    for n in range(10_000_000):
        if stop and stop.is_set(): return


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def twice():
    work()
    work()


def two_threads():
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()


def nap():
    """How long a sleep of 1 ms takes, in ms."""
    return 1000 * statistics.median(seconds(lambda: time.sleep(0.001)) for _ in range(50))


def nap_beside_work():
    stop = threading.Event()
    busy = threading.Thread(target=lambda: [work(stop) for _ in range(100) if not stop.is_set()])
    busy.start()
    took = nap()
    stop.set()
    busy.join()
    return took


def median(run):
    return statistics.median(run() for _ in range(5))


work()  # the first time is slower
print(f"two jobs, one thread      {median(lambda: seconds(twice)):6.2f} s")
print(f"two jobs, two threads     {median(lambda: seconds(two_threads)):6.2f} s")
print(f"sleep of 1 ms, alone      {median(nap):6.2f} ms")
print(f"the same, beside a worker {median(nap_beside_work):6.2f} ms")
