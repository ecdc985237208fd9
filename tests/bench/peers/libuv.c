// libuv in C: a callback for each step. Only http to a numeric IPv4 address.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct {
  const char* url;
  uv_tcp_t socket;
  uv_connect_t connecting;
  uv_write_t writing;
  char request[512], status[13];  // of the answer, as far as it has come
  size_t got;
  int ok;
} Fetch;

static void print(uv_handle_t* socket) {
  Fetch* fetch = socket->data;
  printf("%s %s\n", fetch->url, fetch->ok ? "OK" : "Bad");
  fflush(stdout);
}

static void finish(Fetch* fetch, int ok) {
  fetch->ok = ok;
  uv_close((uv_handle_t*)&fetch->socket, print);
}

static void allocate(uv_handle_t* socket, size_t size, uv_buf_t* buffer) {
  static char bytes[64 * 1024];  // nobody keeps what is in it
  *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void on_read(uv_stream_t* socket, ssize_t size, const uv_buf_t* buffer) {
  Fetch* fetch = socket->data;
  if (size < 0) return finish(fetch, size == UV_EOF && strncmp(fetch->status + 8, " 200", 4) == 0);
  for (ssize_t i = 0; i < size && fetch->got < 12; ++i)
    fetch->status[fetch->got++] = buffer->base[i];
}

static void on_written(uv_write_t* writing, int error) {
  if (error) finish(writing->handle->data, 0);
}

static void on_connected(uv_connect_t* connecting, int error) {
  Fetch* fetch = connecting->handle->data;
  if (error) return finish(fetch, 0);
  const char* rest = fetch->url + strlen("http://");
  const int host = (int)strcspn(rest, "/");
  const int size =
      snprintf(fetch->request, sizeof fetch->request,
               "GET %s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: sync-desert/peer-libuv\r\n"
               "Accept: */*\r\nConnection: close\r\n\r\n",
               rest + host, host, rest);
  const uv_buf_t buffer = uv_buf_init(fetch->request, (unsigned)size);
  uv_read_start(connecting->handle, allocate, on_read);
  uv_write(&fetch->writing, connecting->handle, &buffer, 1, on_written);
}

int main(int argc, char* argv[]) {
  uv_loop_t* loop = uv_default_loop();
  Fetch* all = calloc((size_t)argc, sizeof *all);
  for (int i = 1; i < argc; ++i) {
    char host[16];
    int port;
    struct sockaddr_in address;
    all[i].url = argv[i];
    all[i].socket.data = &all[i];
    if (sscanf(argv[i], "http://%15[^:/]:%d", host, &port) != 2) return 2;
    uv_ip4_addr(host, port, &address);
    uv_tcp_init(loop, &all[i].socket);
    uv_tcp_connect(&all[i].connecting, &all[i].socket, (struct sockaddr*)&address, on_connected);
  }
  return uv_run(loop, UV_RUN_DEFAULT);
}
