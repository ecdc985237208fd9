find_package(CURL 7.87 REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS context)

# What a link checker is given: pages, and how to get one.
foreach(links 01-sync/exercises/4-links 02-threads/exercises/7-links 03-callbacks/exercises/7-links
              04-green-threads/exercises/7-links 05-coroutines/exercises/6-links)
  string(REGEX MATCH "^[^/]+" links_chapter ${links})
  set(links ${CMAKE_SOURCE_DIR}/${links})
  set(target ${links_chapter}-links)
  add_library(${target} STATIC EXCLUDE_FROM_ALL ${links}/page.cpp ${links}/get.cpp)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
  target_include_directories(${target} PUBLIC ${links} PRIVATE ${CMAKE_SOURCE_DIR}/${links_chapter})
endforeach()
foreach(links_chapter 01-sync 02-threads 04-green-threads)
  target_link_libraries(${links_chapter}-links PUBLIC CURL::libcurl)
endforeach()
target_link_libraries(03-callbacks-links PUBLIC 03-callbacks-agent)
target_link_libraries(05-coroutines-links PUBLIC 05-coroutines-http)

add_library(moments STATIC EXCLUDE_FROM_ALL moments.cpp)
target_compile_features(moments PUBLIC cxx_std_20)
target_compile_options(moments PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
target_link_libraries(moments PUBLIC CURL::libcurl)
foreach(function curl_easy_perform pthread_mutex_unlock __tsan_atomic8_load __tsan_atomic16_load
                 __tsan_atomic32_load __tsan_atomic64_load)
  target_link_options(moments INTERFACE LINKER:--wrap=${function})
endforeach()

exercise(01.1 status MINUTES 15 START FAIL TIME_LIMIT 3 SANITIZER address LIBRARIES CURL::libcurl)
exercise(01.2 deadline MINUTES 10 START HANG TIME_LIMIT 3 SANITIZER address LIBRARIES CURL::libcurl)
exercise(01.3 waiting MINUTES 20 START FAIL TIME_LIMIT 3 LIBRARIES CURL::libcurl)
exercise(01.4 links MINUTES 60 START FAIL TIME_LIMIT 10 SANITIZER address LIBRARIES 01-sync-links)

set(both HEADERS <memory> <string> <thread> <vector> LIBRARIES CURL::libcurl)
exercise(02.1 threads MINUTES 15 START FAIL TIME_LIMIT 3 SANITIZER thread ${both})
exercise(02.2 race MINUTES 15 START RACE TIME_LIMIT 3 SANITIZER thread ${both})
exercise(02.3 torn MINUTES 10 START FAIL TIME_LIMIT 3 SANITIZER thread ${both})
exercise(02.4 limit MINUTES 20 START FAIL TIME_LIMIT 3 SANITIZER thread ${both})
exercise(02.5 deadlock MINUTES 15 START HANG TIME_LIMIT 3 SANITIZER thread)
exercise(02.6 first MINUTES 25 START HANG TIME_LIMIT 4 SANITIZER thread ${both} moments)
exercise(02.7 links MINUTES 90 START FAIL TIME_LIMIT 10 SANITIZER thread LIBRARIES 02-threads-links
         HEADERS <memory> <string> <thread> <vector>)

set(agent LIBRARIES 03-callbacks-agent HEADERS ${CMAKE_SOURCE_DIR}/03-callbacks/agent.hpp)
exercise(03.1 lifetime MINUTES 15 START CRASH TIME_LIMIT 5 SANITIZER address ${agent})
exercise(03.2 chain MINUTES 30 START FAIL TIME_LIMIT 5 SANITIZER address)
exercise(03.3 gather MINUTES 20 START FAIL TIME_LIMIT 5 SANITIZER address ${agent})
exercise(03.4 retry MINUTES 25 START FAIL TIME_LIMIT 5 SANITIZER address ${agent})
exercise(03.5 limit MINUTES 25 START FAIL TIME_LIMIT 5 SANITIZER address ${agent})
exercise(03.6 first MINUTES 25 START HANG TIME_LIMIT 5 SANITIZER address ${agent})
exercise(03.7 links MINUTES 90 START FAIL TIME_LIMIT 10 SANITIZER address LIBRARIES
         03-callbacks-links HEADERS ${CMAKE_SOURCE_DIR}/03-callbacks/agent.hpp)

set(green HEADERS ${CMAKE_SOURCE_DIR}/04-green-threads/green/green.hpp <memory> <string>
          LIBRARIES 04-green-threads-green)
exercise(04.1 echo MINUTES 20 START FAIL TIME_LIMIT 5 LIBRARIES Boost::context)
exercise(
  04.2 sleep MINUTES 20 START FAIL TIME_LIMIT 5
  LIBRARIES $<FILTER:$<TARGET_OBJECTS:04-green-threads-green>,EXCLUDE,patch> Boost::context)
exercise(04.3 starvation MINUTES 10 START FAIL TIME_LIMIT 5 ${green})
exercise(04.4 lost-update MINUTES 15 START FAIL TIME_LIMIT 5 ${green} CURL::libcurl)
exercise(04.5 pool MINUTES 25 START FAIL TIME_LIMIT 5 ${green} CURL::libcurl)
exercise(04.6 deadline MINUTES 15 START HANG TIME_LIMIT 7 ${green} CURL::libcurl)
exercise(04.7 links MINUTES 60 START FAIL TIME_LIMIT 10 ${green} 04-green-threads-links)

set(http LIBRARIES 05-coroutines-http HEADERS ${CMAKE_SOURCE_DIR}/05-coroutines/http_get.hpp
         <boost/asio/co_spawn.hpp> <boost/asio/detached.hpp>)
exercise(05.1 await MINUTES 20 START FAIL TIME_LIMIT 5 ${http})
exercise(05.2 dangling MINUTES 10 START CRASH TIME_LIMIT 5 SANITIZER address ${http})
exercise(05.3 first MINUTES 25 START HANG TIME_LIMIT 5 ${http})
exercise(05.4 limit MINUTES 20 START FAIL TIME_LIMIT 5 ${http})
exercise(05.5 task MINUTES 30 START FAIL TIME_LIMIT 5 OPTIONS -O2)
exercise(05.6 links MINUTES 60 START FAIL TIME_LIMIT 10 LIBRARIES 05-coroutines-links
         HEADERS ${CMAKE_SOURCE_DIR}/05-coroutines/http_get.hpp <boost/asio/co_spawn.hpp>
                 <boost/asio/detached.hpp>)
