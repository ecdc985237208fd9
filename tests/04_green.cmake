# Chapter 04's green threads, tested from inside: a program of their own, as they replace libc's
# calls in it. And the programs that tests/04_programs_test.cpp starts.

find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS context)

add_executable(
  04-green-tests 04_green_connections_test.cpp 04_green_io_test.cpp 04_green_os_threads_test.cpp
                 04_green_threads_test.cpp)
add_executable(04-green-probe 04_green_probe.cpp)
add_executable(
  04-green-probe-hidden 04_green_probe.cpp ${CMAKE_SOURCE_DIR}/04-green-threads/green/green.cpp
                        ${CMAKE_SOURCE_DIR}/04-green-threads/green/wait.cpp
                        ${CMAKE_SOURCE_DIR}/04-green-threads/green/patch.cpp)
foreach(target 04-green-tests 04-green-probe 04-green-probe-hidden)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
endforeach()
target_compile_options(04-green-probe-hidden PRIVATE -fvisibility=hidden -U_FORTIFY_SOURCE)
target_include_directories(04-green-probe-hidden PRIVATE ${CMAKE_SOURCE_DIR}/04-green-threads)
target_compile_definitions(
  04-green-probe-hidden
  PRIVATE $<TARGET_PROPERTY:04-green-threads-green,INTERFACE_COMPILE_DEFINITIONS>)
target_link_libraries(04-green-probe-hidden PRIVATE Boost::context Threads::Threads
                                                    ${CMAKE_DL_LIBS})
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=[a-z,]*(address|thread)")
  target_sources(04-green-probe-hidden
                 PRIVATE ${CMAKE_SOURCE_DIR}/04-green-threads/green/ucontext.cpp)
endif()
target_link_libraries(04-green-probe PRIVATE 04-green-threads-green)
target_link_libraries(04-green-tests PRIVATE test-tools 04-green-threads-green)

target_sources(unit-tests PRIVATE 04_programs_test.cpp)
target_compile_definitions(unit-tests PRIVATE PROBE="$<TARGET_FILE:04-green-probe>")
add_dependencies(unit-tests 04-green-probe 04-green-probe-hidden)
catch_discover_tests(04-green-tests PROPERTIES TIMEOUT 300 ${NOT_RUN})
