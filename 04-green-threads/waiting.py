# For gdb: prints the stack of each green thread that waits. gdb knows of OS threads only. But at the
# top of each stack Asio has an object, which holds the stack pointer with which it goes on. There
# Boost.Context has stored the registers: so gdb is lent them, for as long as it looks.

import gdb
import re
import struct

SAVED = ["r12", "r13", "r14", "r15", "rbx", "rbp", "rip"]  # as jump_fcontext does on x86-64


def words(start, end):
    memory = gdb.selected_inferior().read_memory(start, end - start)
    return struct.unpack(f"{(end - start) // 8}Q", memory)


def mappings():
    """What may be a stack: (start, end)."""
    for line in open(f"/proc/{gdb.selected_inferior().pid}/maps"):
        fields = line.split()
        if fields[1] == "rw-p" and len(fields) == 5:
            yield tuple(int(number, 16) for number in fields[0].split("-"))


def stack(pointer):
    """What gdb's bt prints of the stack with this saved stack pointer."""
    names = SAVED + ["rsp"]
    code = gdb.execute("disassemble jump_fcontext", to_string=True)
    first = pointer + int(re.search(r"%r12,0x(\w+)\(%rsp\)", code)[1], 16)
    values = words(first, first + 56) + (first + 56,)
    before = {name: int(gdb.parse_and_eval(f"(long)${name}")) for name in names}
    try:
        for name, value in zip(names, values):
            gdb.execute(f"set ${name} = {value}")
        return gdb.execute("bt", to_string=True)
    finally:
        for name in names: gdb.execute(f"set ${name} = {before[name]}")


for setting in "width 0", "print address off", "filename-display basename":
    gdb.execute(f"set {setting}")
if "x86-64" not in gdb.selected_frame().architecture().name(): raise gdb.GdbError("only for x86-64")
kind = gdb.lookup_type("boost::asio::detail::spawned_fiber_thread")
table = int(gdb.parse_and_eval(f"(long)&'vtable for {kind.name}'")) + 16
count = 0
for start, end in mappings():
    top = max(start, end - 4096)
    for address, word in zip(range(top, end, 8), words(top, end)):
        if word != table: continue
        fiber = gdb.Value(address).cast(kind.pointer()).dereference()["callee_"]
        pointer = int(fiber["fctx_"])
        if not start <= pointer < end: continue  # it runs, or has ended
        frames = stack(pointer)
        if "switch_to_hub" not in frames: continue  # what another stack has left there
        count += 1
        print(f"green thread {count}")
        for line in frames.splitlines():
            if not re.search("boost::|/boost/|std::|make_fcontext", line): print(" ", line)
