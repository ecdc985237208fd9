// Finds out what a program that does not end is waiting for, from the kernel and from its memory.

#pragma once

#include <sys/types.h>

#include <string>

// Such as "2 threads wait for each other: one holds `a` and wants `b`, ...": what will never end by
// itself. Empty if there is no such circle.
std::string deadlock(pid_t process, const std::string& program);

// The same, or else what each of its threads does, such as "1 thread waits for the network". Of
// those that sleep, one is ThreadSanitizer's, if it is there.
std::string what_it_waits_for(pid_t process, const std::string& program, bool has_sanitizer_thread);

// The thread that can tell most about why it hangs: one that computes rather than one that waits
// for a lock, and so on. Main, if none is better.
pid_t thread_to_ask(pid_t process, bool has_sanitizer_thread);

std::size_t count_threads(pid_t process);

// Whether one of its threads computes, or would if others left it a core, or waits for the disk.
bool is_busy(pid_t process);

// How often its threads have given up their core to wait for something, so far.
long times_waited(pid_t process);

// Whether its main thread sleeps for a time that it chose itself.
bool sleeps(pid_t process);

// Whether only its exit status is left.
bool has_ended(pid_t process);

// The CPU time that all its threads have used so far.
double cpu_seconds(pid_t process);
