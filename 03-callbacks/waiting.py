# For gdb: prints for each request that waits its URL, and the step that its handler will go on with.
# A handler holds a pointer to its session, and behind that the address of the step (`then` in
# agent.cpp). That is what is looked for on the heap.

import gdb
import os
import struct

SESSION = "(anonymous namespace)::Session"


def heap():
    """The heap, as (address, word) pairs."""
    process = gdb.selected_inferior()
    for line in open(f"/proc/{process.pid}/maps"):
        if line.rstrip().endswith("[heap]"):
            start, end = (int(number, 16) for number in line.split()[0].split("-"))
            words = struct.unpack(f"{(end - start) // 8}Q", process.read_memory(start, end - start))
            yield from zip(range(start, end, 8), words)


def step_at(address):
    """The member function of Session that begins at this address, or None."""
    block = gdb.block_for_pc(address)
    function = block and block.function
    if not function or int(function.value().address) != address: return None
    return function if function.print_name.startswith(SESSION + "::") else None


words = dict(heap())
known, waiting = {}, {}
for address, word in words.items():
    if word not in known: known[word] = step_at(word)
    session = words.get(address - 16)
    if known[word] and session in words:
        waiting[session] = max(waiting.get(session, known[word]), known[word], key=lambda it: it.line)

for address, step in waiting.items():
    session = gdb.Value(address).cast(gdb.lookup_type(SESSION).pointer()).dereference()
    if not session["waiting_"]: continue  # it has ended
    url = session["url_"]
    text = "".join(url[part].format_string().strip('"') for part in ("authority", "target"))
    name = step.print_name.split("::", 1)[1]
    print(f"{'https' if url['is_https'] else 'http'}://{text} waits, and will go on in")
    print(f"  {name} at {os.path.basename(step.symtab.filename)}:{step.line}")
