# For gdb: prints each chain of coroutines that wait, the innermost first, with the line of its
# co_await. A suspended coroutine is on no stack, but its frame is on the heap, and begins with the
# address of the function that resumes it. That is what is looked for. For programs made by g++.

import gdb
import os
import re
import struct


def heap():
    """The heap, as (address, word) pairs."""
    process = gdb.selected_inferior()
    for line in open(f"/proc/{process.pid}/maps"):
        if line.rstrip().endswith("[heap]"):
            start, end = (int(number, 16) for number in line.split()[0].split("-"))
            words = struct.unpack(f"{(end - start) // 8}Q", process.read_memory(start, end - start))
            yield from zip(range(start, end, 8), words)


def resumed_by(address):
    """What g++ tells of the coroutine that is resumed at this address, or None: its function, and
    what is in its frame, in order."""
    block = gdb.block_for_pc(address)
    function = block and block.function
    if not function or "/boost/" in function.symtab.fullname(): return None
    names = [symbol.name for symbol in block]
    if int(function.value().address) != address or "_Coro_resume_index" not in names: return None
    first, last = names.index("_Coro_resume_fn"), names.index("_Coro_resume_index")
    return function, list(block)[first:last + 1]


def read(address, symbols):
    """The frame at this address, by name, without what it has by reference."""
    frame = {}
    for symbol in symbols:
        kind = symbol.type.unqualified()
        if kind.code == gdb.TYPE_CODE_REF: kind = kind.target().pointer()
        address += -address % kind.alignof
        frame[symbol.name] = gdb.Value(address).cast(kind.pointer()).dereference()
        address += kind.sizeof
    return frame


def line_of(function, count):
    """The line of the coroutine's co_await number `count`, from 0."""
    first = gdb.find_pc_line(int(function.value().address)).line
    for number, line in enumerate(open(function.symtab.fullname()), 1):
        if number >= first: count -= len(re.findall(r"\bco_await\b", line.split("//")[0]))
        if count < 0: return number


known, frames, awaited = {}, {}, set()
for address, word in heap():
    if word not in known: known[word] = resumed_by(word)
    if known[word]:
        function, symbols = known[word]
        frame = read(address, symbols)
        promise = frame["_Coro_promise"]
        while not promise.type.name.startswith("boost::asio::detail::awaitable_frame_base<"):
            promise = promise[promise.type.fields()[0]]  # its base class
        frames[int(promise.address)] = function, frame, int(promise["caller_"])
        awaited.add(int(promise["caller_"]))

def text_of(value):
    kind = value.type.strip_typedefs()
    if kind.name == "Url": return (str(value["authority"]) + str(value["target"])).replace('""', "")
    return str(value) if "basic_string<" in str(kind) and str(value) != '""' else None

for at in [address for address in frames if address not in awaited]:
    print("waiting:")
    while at in frames:
        function, frame, at = frames[at]
        line = line_of(function, int(frame["_Coro_resume_index"]) // 2 - 2)  # two for each
        texts = [f"{name}={text_of(value)}" for name, value in frame.items() if text_of(value)]
        name = re.match(r"(\(anonymous namespace\)::)?(\w+)", function.print_name)[2]
        print(f"  {name}({', '.join(texts)}) at {os.path.basename(function.symtab.filename)}:{line}")
