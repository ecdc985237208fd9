// Only for sanitizers: a part of Boost.Context's ucontext version that Debian's library lacks.

#include <boost/context/fiber.hpp>

namespace boost::context::detail {

fiber_activation_record*& fiber_activation_record::current() noexcept {
  thread_local fiber_activation_record os_thread;
  thread_local fiber_activation_record* running = &os_thread;
  return running;
}

}  // namespace boost::context::detail
