"""Code execution inside a function: tries what it shouldn't get, then what the function must go on having."""
import ctypes, errno, os, shutil, signal, socket, subprocess, sys, tempfile, threading

libc = ctypes.CDLL(None, use_errno=True)
FOLDER, ALLOWED, DENIED, DENIED6 = os.environ["FOLDER"], *(int(os.environ[name]) for name in ("ALLOWED", "DENIED", "DENIED6"))
AGENT = os.getppid()


def attempt(name, act):
    try:
        act()
        print(name, "got", flush=True)
    except OSError as error:
        print(name, "refused", errno.errorcode.get(error.errno, error.errno), flush=True)


def call(number, *arguments):
    def act():
        ctypes.set_errno(0)
        if libc.syscall(number, *(ctypes.c_long(argument) for argument in arguments)) == -1:
            raise OSError(ctypes.get_errno(), "")
    return act


def write(path):
    def act():
        with open(path, "w") as file:
            file.write("x")
    return act


def connect(family, host, port):
    def act():
        with socket.socket(family, socket.SOCK_STREAM) as stream:
            stream.settimeout(5)
            stream.connect((host, port))
    return act


def early_data():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
        stream.sendto(b"stolen", 0x20000000, ("127.0.0.1", DENIED))


def listen():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
        stream.bind(("127.0.0.1", 0))


def own_copy():
    copy = os.path.join(FOLDER, "w", "copy")
    shutil.copy(os.path.realpath(sys.executable), copy)
    os.chmod(copy, 0o755)
    subprocess.run([copy, "-c", "pass"], check=True)


def fork():
    if os.fork() == 0:
        os._exit(0)


def in_memory():
    descriptor = os.memfd_create("program", 0)
    with open("/bin/true", "rb") as program:
        os.write(descriptor, program.read())
    subprocess.run([f"/proc/self/fd/{descriptor}"], pass_fds=[descriptor], check=True)


def run(*command):
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def threads():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(1))
    thread.start()
    thread.join(10)
    if not seen:
        raise OSError(errno.EAGAIN, "")


def ask_for_an_event():
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    api = socket.create_connection((host, int(port)), 5)
    api.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
    api.settimeout(0.5)
    try:
        api.recv(1)
    except TimeoutError:
        pass


x86 = os.uname().machine == "x86_64"
attempt("next", ask_for_an_event)
attempt("write-outside", write(os.path.join(FOLDER, "outside")))
attempt("truncate-outside", lambda: os.truncate(os.path.join(FOLDER, "kept"), 0))
attempt("delete-outside", lambda: os.unlink(os.path.join(FOLDER, "kept")))
attempt("link-in", lambda: os.link(os.path.join(FOLDER, "kept"), os.path.join(FOLDER, "w", "kept")))
attempt("shell", run("/bin/sh", "-c", ":"))
attempt("program", run("/bin/true"))
attempt("own-copy", own_copy)
attempt("in-memory", in_memory)
attempt("fork", fork)
attempt("connect-elsewhere", connect(socket.AF_INET, "127.0.0.1", DENIED))
attempt("connect-elsewhere-6", connect(socket.AF_INET6, "::1", DENIED6))
attempt("early-data", early_data)
attempt("bind", listen)
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", DENIED)))
attempt("udp-6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("ping", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("multipath", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9))
attempt("vsock", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("unix", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt("unix-datagrams", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt("io-uring", call(425, 8, 0))
attempt("ptrace", call(101 if x86 else 117, 16, AGENT, 0, 0))
attempt("pidfd-getfd", call(438, 0, 0, 0))
attempt("kill-agent", lambda: os.kill(AGENT, 0))
attempt("kill-agent-thread", call(234 if x86 else 131, AGENT, AGENT, 0))
attempt("agent-environment", lambda: open(f"/proc/{AGENT}/environ", "rb").read())
attempt("agent-memory", lambda: open(f"/proc/{AGENT}/mem", "rb"))
attempt("agent-descriptors", lambda: os.readlink(f"/proc/{AGENT}/fd/0"))
attempt("unshare", call(272 if x86 else 97, 0x10000000))
attempt("namespaces-by-clone", call(56 if x86 else 220, 0x10000000 | 17, 0, 0, 0, 0))
attempt("mount", call(165 if x86 else 40, 0, 0, 0, 0, 0))
attempt("bpf", call(321 if x86 else 280, 0, 0, 0))
attempt("keys", call(250 if x86 else 219, 0, -3, 0, 0, 0))

attempt("write-own", write(os.path.join(FOLDER, "w", "file")))
attempt("write-null", write("/dev/null"))
attempt("temporary-file", lambda: tempfile.TemporaryFile(dir=os.path.join(FOLDER, "w")).close())
attempt("read-own-code", lambda: open(__file__).read())
attempt("connect-allowed", connect(socket.AF_INET, "127.0.0.1", ALLOWED))
attempt("threads", threads)
attempt("stream-pair", lambda: socket.socketpair())
attempt("resolve", lambda: socket.getaddrinfo("127.0.0.1", 443))
attempt("signal-self", lambda: os.kill(os.getpid(), 0))
# The last: where it isn't refused, there is nobody left to tell.
attempt("in-place", lambda: os.execv("/bin/sh", ["sh", "-c", "echo in-place got"]))
