// A module to load into a program of chapter 04 before all others (LD_PRELOAD): the patch of
// pthread_mutex_lock that the chapter does not have. A green thread lets the others run while it
// waits for a mutex, because the program's usleep is patched.

#include <pthread.h>
#include <unistd.h>

#include <cerrno>

extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) {
  int error;
  while ((error = pthread_mutex_trylock(mutex)) == EBUSY) usleep(1000);
  return error;
}
