// What a program that does not end is waiting for, as the kernel and its memory tell.

#pragma once

#include <sys/types.h>

#include <string>

// Such as "2 threads wait for each other: one holds `a` and wants `b`, ...".
std::string what_it_waits_for(pid_t process, const std::string& program);
