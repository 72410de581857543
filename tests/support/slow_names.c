/* Loaded before the C library: the look-up of slow.test waits until the FIFO in SLOW_NAMES is opened for writing, fast.test is 127.0.0.1. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*look_up)(const char*, const char*, const struct addrinfo*, struct addrinfo**);

int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
    look_up real = (look_up)dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && strcmp(node, "slow.test") == 0) {
        int fifo = open(getenv("SLOW_NAMES"), O_RDONLY);
        if (fifo >= 0) close(fifo);
        return EAI_AGAIN;
    }
    if (node && strcmp(node, "fast.test") == 0) node = "127.0.0.1";
    return real(node, service, hints, found);
}
