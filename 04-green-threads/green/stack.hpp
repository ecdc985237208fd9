// The stacks of green threads.

#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <boost/context/stack_context.hpp>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

#ifdef BOOST_USE_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace green::detail {

// #region stack
// Boost's protected_fixedsize_stack only asserts that its guard page exists. A program with too
// many mappings (vm.max_map_count, about 32,000 stacks) needs an error that it can handle.
struct Stack {
  using Context = boost::context::stack_context;
  static constexpr std::size_t guard =
      64 * 1024;                // one page would be enough if no frame jumped over it
  static inline Context spare;  // the last stack to use again; the one before it is at its top
  static inline std::size_t spares = 0, in_use = 0;
  static constexpr std::size_t few = 64;
  Context context;

  explicit Stack(std::size_t size) {
    context.size = guard + (size + guard - 1) / guard * guard;
    if (spare.sp && spare.size == context.size) {
      context = pop();
      ++in_use;
      return;
    }
    const auto flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE;
    void* bottom = mmap(nullptr, context.size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (bottom == MAP_FAILED || mprotect(bottom, guard, PROT_NONE) != 0) {
      const std::error_code error(errno, std::generic_category());
      if (bottom != MAP_FAILED) munmap(bottom, context.size);
      throw std::system_error(error, "no stack for a green thread");
    }
    if (size >= 2 << 20) madvise(bottom, context.size, MADV_NOHUGEPAGE);  // 4 KB in use, not 2 MB
    context.sp = static_cast<char*>(bottom) + context.size;
    ++in_use;
  }
  Context allocate() const { return context; }
  void deallocate(const Context& used) const noexcept {
#ifdef BOOST_USE_ASAN  // a stack is left in the middle of its first functions, which are small
    __asan_unpoison_memory_region(static_cast<char*>(used.sp) - guard, guard);
#endif
    *top(used) = std::exchange(spare, used);
    ++spares, --in_use;
    for (; spares > std::max(in_use, few); unmap(pop())) {  // after a burst, returns its memory
    }
  }
  static Context pop() {
    --spares;
    return std::exchange(spare, *top(spare));
  }
  static void unmap(const Context& stack) {
    char* const bottom = static_cast<char*>(stack.sp) - stack.size;
#ifdef BOOST_USE_ASAN
    __asan_unpoison_memory_region(bottom, stack.size);
#endif
    munmap(bottom, stack.size);
  }
  static Context* top(const Context& stack) { return static_cast<Context*>(stack.sp) - 1; }
};
// #endregion stack

}  // namespace green::detail
