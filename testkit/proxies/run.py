#!/usr/bin/env python3
"""Mixed load through nginx and through HAProxy to the conformance server, for so many seconds each.

    python3 testkit/proxies/run.py [--program target/release/conformance] [--seconds 30] [--runtime tokio]

It needs nginx and haproxy (Debian's packages of these names). Every answer is looked at: a 502 or 504, a wrong
byte or a connection that hangs fails the run, and it exits with 1.
"""

import argparse
import collections
import http.client
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nobody listens on port {port}")


def expect(response, status, body=None):
    got = response.read()
    if response.status != status:
        raise AssertionError(f"{response.status} in place of {status}: {got[:100]!r}")
    if body is not None and got != body:
        raise AssertionError(f"{len(got)} bytes in place of {len(body)}, or others")


def keep_alive(port, chance):
    """Some requests on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    for _ in range(chance.randint(1, 50)):
        connection.request("GET", "/plaintext")
        expect(connection.getresponse(), 200, b"Hello, World!")
    connection.close()


def large_upload(port, chance):
    """A body that is read whole before it is answered."""
    body = bytes(chance.randint(1, 2 << 20))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("POST", "/body", body)
    expect(connection.getresponse(), 200, str(len(body)).encode())
    connection.close()


def there_and_back(port, chance):
    """A body of some mebibytes that comes back while it is still being sent."""
    body = chance.randbytes(chance.randint(1, 8 << 20))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.putrequest("POST", "/echo")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    # Whoever wrote all of it first would wait for ever: nothing on the way keeps the whole.
    writer = threading.Thread(target=connection.sock.sendall, args=(body,), daemon=True)
    writer.start()
    expect(connection.getresponse(), 200, body)
    writer.join()
    connection.close()


def chunked_upload(port, chance):
    """A body whose length nobody knows beforehand."""
    pieces = [chance.randbytes(chance.randint(1, 65536)) for _ in range(chance.randint(1, 20))]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("PUT", "/echo", iter(pieces), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    expect(connection.getresponse(), 200, b"".join(pieces))
    connection.close()


def too_large(port, chance):
    """The server answers 413 as soon as it has seen the length, while the client goes on writing."""
    length = chance.randint(3 << 20, 16 << 20)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(f"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode())
        piece = bytes(65536)
        try:
            for _ in range(length // len(piece)):
                client.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            # The proxy may close as soon as it has passed the answer on.
            pass
        answer = client.recv(12)
    if answer != b"HTTP/1.1 413":
        raise AssertionError(f"{answer!r} in place of a 413")


def streamed(port, chance):
    """An answer whose length nobody knows beforehand."""
    chunks, size = chance.randint(1, 50), chance.randint(1, 5000)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", f"/stream?chunks={chunks}&size={size}&ms={chance.randint(0, 2)}")
    expect(connection.getresponse(), 200, b"x" * (chunks * size))
    connection.close()


def other_answers(port, chance):
    """Statuses and methods, some without a body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    for method, path, status in [
        ("GET", "/status/204", 204),
        ("HEAD", "/plaintext", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/plaintext", 405),
        ("GET", "/error/custom", 500),
        ("GET", "/sleep/20", 200),
    ]:
        connection.request(method, path)
        expect(connection.getresponse(), status)
    connection.close()


def gone(port, chance):
    """A client that goes away while it is answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(b"GET /big?size=3000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        client.recv(chance.randint(1, 100000))


KINDS = {
    # nginx reads no answer while it still sends the request, so what streams back is not for it.
    "nginx": [keep_alive, large_upload, chunked_upload, too_large, streamed, other_answers, gone],
    "haproxy": [keep_alive, large_upload, there_and_back, chunked_upload, too_large, streamed, other_answers, gone],
}


def load(kinds, port, seconds, seed):
    """Runs all kinds side by side; what came of it, by kind."""
    done, failed, lock = collections.Counter(), [], threading.Lock()
    ends_at = time.monotonic() + seconds

    def client(number):
        chance = random.Random(f"{seed}-{number}")
        while time.monotonic() < ends_at:
            kind = chance.choice(kinds)
            try:
                kind(port, chance)
                with lock:
                    done[kind.__name__] += 1
            except (AssertionError, OSError, http.client.HTTPException) as error:
                with lock:
                    failed.append(f"{kind.__name__}: {error!r}")

    threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 2 * PATIENCE)
        if thread.is_alive():
            failed.append("a client hangs")
    return done, failed


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", default="target/release/conformance")
    options.add_argument("--runtime", default="tokio")
    options.add_argument("--seconds", type=int, default=30)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options = options.parse_args()
    print(f"seed {options.seed}")
    bad = False
    for proxy in ["nginx", "haproxy"]:
        bad |= run(proxy, options)
    sys.exit(1 if bad else 0)


def run(proxy, options):
    command = [options.program, "--runtime", options.runtime, "--addr", "127.0.0.1:0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    address = server.stdout.readline().strip().removeprefix("listening on http://")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        name = "nginx.conf" if proxy == "nginx" else "haproxy.cfg"
        text = (HERE / name).read_text()
        for mark, value in [("PREFIX", folder), ("SERVER", address), ("LISTEN", f"127.0.0.1:{port}")]:
            text = text.replace(mark, value)
        path = pathlib.Path(folder, name)
        path.write_text(text)
        os.chmod(folder, 0o777)
        command = ["nginx", "-e", "stderr", "-c", str(path)] if proxy == "nginx" else ["haproxy", "-f", str(path)]
        front = subprocess.Popen(command)
        try:
            wait_for(port)
            done, failed = load(KINDS[proxy], port, options.seconds, options.seed)
        finally:
            front.send_signal(signal.SIGTERM)
            front.wait(PATIENCE)
    server.send_signal(signal.SIGTERM)
    code = server.wait(PATIENCE)
    print(f"{proxy}: {sum(done.values())} good ({dict(sorted(done.items()))}), {len(failed)} bad; the server ended with {code}")
    for line in failed[:20]:
        print(f"  {line}")
    return bool(failed) or code != 0


if __name__ == "__main__":
    main()
