/* Native code inside a function: system calls of its own, without a library between. One attempt per argument. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long raw(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return result;
#else
    long result = syscall(number, a, b, c, d, e);
    return result < 0 ? -errno : result;
#endif
}

static void told(const char *name, long result) {
    printf("%s %s\n", name, result < 0 ? "refused" : "got");
    fflush(stdout);
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("DENIED"))), .sin_addr.s_addr = htonl(0x7f000001)};
    char *const shell[] = {"sh", "-c", "echo exec got", NULL}, *const none[] = {NULL};
    if (!strcmp(what, "exec")) {
        told("exec", raw(SYS_execve, (long)"/bin/sh", (long)shell, (long)none, 0, 0));
    } else if (!strcmp(what, "exec-self")) {
        char *const self[] = {arguments[0], "nothing", NULL};
        told("exec-self", raw(SYS_execve, (long)arguments[0], (long)self, (long)none, 0, 0));
    } else if (!strcmp(what, "exec-memory")) {
        static char copy[1 << 20];
        long descriptor = raw(SYS_memfd_create, (long)"program", 0, 0, 0, 0);
        FILE *file = fopen("/bin/true", "rb");
        size_t size = file ? fread(copy, 1, sizeof copy, file) : 0;
        if (descriptor >= 0 && write(descriptor, copy, size) < 0) return 9;
        told("exec-memory", raw(SYS_execveat, descriptor, (long)"", (long)shell, (long)none, 0x1000));
    } else {
        long clone3[11] = {0};
        clone3[4] = 17;
        char buffer[8];
        struct iovec local = {buffer, 8}, remote = {arguments, 8};
        struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &local, .msg_iovlen = 1};
        long process = raw(SYS_clone, 17, 0, 0, 0, 0);
        if (process == 0) _exit(0);
        told("clone", process);
        process = raw(435, (long)clone3, sizeof clone3, 0, 0, 0);
        if (process == 0) _exit(0);
        told("clone3", process);
#if defined(__x86_64__)
        process = raw(SYS_fork, 0, 0, 0, 0, 0);
        if (process == 0) _exit(0);
        told("fork", process);
        told("other-numbers", raw(0x40000000 | SYS_getpid, 0, 0, 0, 0, 0));
#endif
        long tcp = raw(SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0);
        told("connect", raw(SYS_connect, tcp, (long)&to, sizeof to, 0, 0));
        message.msg_flags = 0;
        told("early-data", raw(SYS_sendmsg, tcp, (long)&message, 0x20000000, 0, 0));
        long udp = raw(SYS_socket, AF_INET, SOCK_DGRAM, 0, 0, 0);
        told("udp", udp);
        told("udp-sendmsg", raw(SYS_sendmsg, udp, (long)&message, 0, 0, 0));
        told("high-bits", raw(SYS_socket, 0x700000000L | AF_PACKET, SOCK_RAW, 0, 0, 0));
        told("sctp", raw(SYS_socket, AF_INET, SOCK_SEQPACKET, 132, 0, 0));
        told("crypto", raw(SYS_socket, 38, SOCK_SEQPACKET, 0, 0, 0));
        told("read-memory", raw(SYS_process_vm_readv, getppid(), (long)&local, 1, (long)&remote, 1));
        told("io-uring", raw(425, 8, 0, 0, 0, 0));
        told("handles", raw(SYS_open_by_handle_at, -100, 0, 0, 0, 0));
        told("thread", raw(SYS_gettid, 0, 0, 0, 0, 0));
        told("code-memory", (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    }
    return 0;
}
