# The target asio-beast: Boost.Asio and Boost.Beast, compiled once. Where several chapters are built
# together, the first one compiles them for all; so all have the same definitions.
if(TARGET asio-beast)
  return()
endif()

find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers)
find_package(OpenSSL REQUIRED)
find_package(Threads REQUIRED)

add_library(asio-beast STATIC libraries.cpp)
set_target_properties(asio-beast PROPERTIES CXX_EXTENSIONS OFF)
target_compile_features(asio-beast PUBLIC cxx_std_20)
# No recycling: the blocks that Asio keeps for the next frame or operation are often bigger than it
# needs, and the next one holds them for as long as its fetch waits.
target_compile_definitions(
  asio-beast
  PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
         BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING)
target_link_libraries(asio-beast PUBLIC Boost::headers OpenSSL::SSL OpenSSL::Crypto
                                        Threads::Threads)

# Asio's loop is a proactor. On Linux it plays one on top of epoll, unless it is told to use io_uring,
# which is one.
option(IO_URING "Run Asio on io_uring, by liburing, instead of epoll" OFF)
if(IO_URING)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(liburing IMPORTED_TARGET GLOBAL liburing)
  if(NOT TARGET PkgConfig::liburing)
    message(FATAL_ERROR "IO_URING needs liburing: sudo apt-get install liburing-dev")
  endif()
  target_compile_definitions(asio-beast PUBLIC BOOST_ASIO_HAS_IO_URING BOOST_ASIO_DISABLE_EPOLL)
  target_link_libraries(asio-beast PUBLIC PkgConfig::liburing)
endif()
