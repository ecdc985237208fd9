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
