// What a program that does not end is waiting for, as the kernel and its memory tell.

#pragma once

#include <sys/types.h>

#include <string>

// Such as "2 threads wait for each other: one holds `a` and wants `b`, ...": what will never end by
// itself. Empty if there is no such circle.
std::string deadlock(pid_t process, const std::string& program);

// The same, or else what each of its threads does, such as "1 thread waits for the network".
std::string what_it_waits_for(pid_t process, const std::string& program);

// Whether it computes, and others on this machine have left it less than `seconds` of CPU time.
bool is_starved(pid_t process, double seconds);
