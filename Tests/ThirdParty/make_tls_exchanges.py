#!/usr/bin/env python3
"""Writes small real TLS exchanges, made by libssl over memory BIOs, as vectors for CapturesTests.

    python3 make_tls_exchanges.py [--out ../CapturesTests/Vectors]

Each file is one connection, in the order in which its flights crossed: `client HEX` and `server HEX` are what went over
the wire, `clientsays HEX` and `serversays HEX` the application data that both wrote, `key LINE` the key log. No network,
no root. libssl is called through ctypes because Python's `ssl` chooses no suites of TLS 1.3 and updates no keys.
"""

import argparse
import ctypes
import ctypes.util
import os
import subprocess
import tempfile

SSL = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
CRYPTO = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
P, I, L = ctypes.c_void_p, ctypes.c_int, ctypes.c_long
for library, names in {
    SSL: {
        "SSL_CTX_new": P, "SSL_new": P, "TLS_method": P, "SSL_ctrl": L, "SSL_CTX_ctrl": L, "SSL_get1_session": P,
        "SSL_CTX_set_options": ctypes.c_uint64, "SSL_get_version": ctypes.c_char_p,
    },
    CRYPTO: {"BIO_new": P, "BIO_s_mem": P, "BIO_ctrl_pending": ctypes.c_size_t, "ERR_get_error": ctypes.c_ulong},
}.items():
    for name, result in names.items():
        getattr(library, name).restype = result
KEYLOG = ctypes.CFUNCTYPE(None, P, ctypes.c_char_p)
ALPN = ctypes.CFUNCTYPE(I, P, P, P, P, ctypes.c_uint, P)
NO_ETM, NO_TICKET, LEGACY_RENEGOTIATION = 1 << 19, 1 << 14, 1 << 18
VERSIONS = {"1.2": 0x0303, "1.3": 0x0304}


def check(result, what):
    if result is None or result <= 0:
        code = CRYPTO.ERR_get_error()
        text = ctypes.create_string_buffer(200)
        CRYPTO.ERR_error_string_n(ctypes.c_ulong(code), text, ctypes.c_size_t(200))
        raise SystemExit(f"make_tls_exchanges: {what}: {text.value.decode()}")
    return result


class Context:
    def __init__(self, version, log, certificate=None, suites=None, groups=None, options=0, maximum=None):
        self.pointer = P(SSL.SSL_CTX_new(P(SSL.TLS_method())))
        number = VERSIONS[version]
        for control in (123, 124):  # SSL_CTRL_SET_MIN_PROTO_VERSION, SSL_CTRL_SET_MAX_PROTO_VERSION
            check(SSL.SSL_CTX_ctrl(self.pointer, control, L(number), None), "version")
        if certificate:
            chain, key = certificate
            check(SSL.SSL_CTX_use_certificate_file(self.pointer, chain.encode(), 1), "certificate")
            check(SSL.SSL_CTX_use_PrivateKey_file(self.pointer, key.encode(), 1), "key")
            SSL.SSL_CTX_ctrl(self.pointer, 118, L(1), None)  # SSL_CTRL_SET_DH_AUTO
            SSL.SSL_CTX_set_session_id_context(self.pointer, b"miswire", 7)
        if suites:
            choose = SSL.SSL_CTX_set_ciphersuites if version == "1.3" else SSL.SSL_CTX_set_cipher_list
            check(choose(self.pointer, suites.encode()), suites)
        if groups:
            check(SSL.SSL_CTX_ctrl(self.pointer, 92, L(0), groups.encode()), groups)  # SET_GROUPS_LIST
        if maximum:
            SSL.SSL_CTX_ctrl(self.pointer, 52, L(maximum), None)  # SET_MAX_SEND_FRAGMENT
        SSL.SSL_CTX_set_options(self.pointer, ctypes.c_uint64(options))
        self.keylog = KEYLOG(lambda _, line: log.append(line.decode()))
        SSL.SSL_CTX_set_keylog_callback(self.pointer, self.keylog)

    def choose(self, protocol):
        """The server takes this application protocol."""
        name = ctypes.create_string_buffer(protocol)
        self.protocol = name

        def callback(_, out, length, offered, count, argument):
            ctypes.cast(out, ctypes.POINTER(P))[0] = ctypes.addressof(name)
            ctypes.cast(length, ctypes.POINTER(ctypes.c_ubyte))[0] = len(protocol)
            return 0

        self.alpn = ALPN(callback)
        SSL.SSL_CTX_set_alpn_select_cb(self.pointer, self.alpn, None)


class End:
    def __init__(self, context, is_client, name=b"chat.example", session=None):
        self.ssl = P(check(SSL.SSL_new(context.pointer), "SSL_new"))
        self.input, self.output = (P(CRYPTO.BIO_new(P(CRYPTO.BIO_s_mem()))) for _ in range(2))
        SSL.SSL_set_bio(self.ssl, self.input, self.output)
        if is_client:
            SSL.SSL_set_connect_state(self.ssl)
            if name:
                check(SSL.SSL_ctrl(self.ssl, 55, L(0), name), "SNI")
            if session:
                check(SSL.SSL_set_session(self.ssl, session), "session")
        else:
            SSL.SSL_set_accept_state(self.ssl)

    def pending(self):
        count = CRYPTO.BIO_ctrl_pending(self.output)
        data = ctypes.create_string_buffer(count)
        CRYPTO.BIO_read(self.output, data, I(count)) if count else None
        return data.raw

    def take(self, data):
        if data:
            CRYPTO.BIO_write(self.input, data, I(len(data)))

    def shake(self):
        return SSL.SSL_do_handshake(self.ssl) == 1

    def write(self, data):
        check(SSL.SSL_write(self.ssl, data, I(len(data))), "write")

    def read(self):
        got = b""
        data = ctypes.create_string_buffer(1 << 15)
        while (count := SSL.SSL_read(self.ssl, data, I(1 << 15))) > 0:
            got += data.raw[:count]
        return got


class Exchange:
    """One connection; `lines` is the file."""

    def __init__(self, version, certificate, suites=None, server=None, client=None, session=None, alpn=None):
        self.log, self.lines, self.said = [], [], {"client": b"", "server": b""}
        forget = []
        self.server_context = server or Context(version, forget, certificate, suites)
        self.client_context = client or Context(version, self.log, suites=suites)
        if client:
            client.keylog = KEYLOG(lambda _, line: self.log.append(line.decode()))
            SSL.SSL_CTX_set_keylog_callback(client.pointer, client.keylog)
        if alpn:
            self.server_context.choose(alpn)
        self.client = End(self.client_context, True, session=session)
        self.server = End(self.server_context, False)
        if alpn:
            offer = bytes([len(alpn)]) + alpn
            SSL.SSL_set_alpn_protos(self.client.ssl, offer, ctypes.c_uint(len(offer)))

    def cross(self):
        """Everything that waits goes over the wire, one flight of each side."""
        for name, source, target in (("client", self.client, self.server), ("server", self.server, self.client)):
            data = source.pending()
            if data:
                self.lines.append(f"{name} {data.hex()}")
                target.take(data)
                if name == "client":
                    target.shake()
        self.client.shake()

    def shake(self):
        for _ in range(8):
            self.client.shake()
            self.cross()
            if self.client.shake() and self.server.shake():
                break
        self.cross()
        return self

    def say(self, side, data):
        source, target = (self.client, self.server) if side == "client" else (self.server, self.client)
        source.write(data)
        self.said[side] += data
        wire = source.pending()
        self.lines.append(f"{side} {wire.hex()}")
        target.take(wire)
        got = target.read()
        if got != data:
            raise SystemExit(f"make_tls_exchanges: {len(got)} bytes arrived of {len(data)}")
        for name, end, other in (("server", self.server, self.client), ("client", self.client, self.server)):
            answer = end.pending()
            if answer:
                self.lines.append(f"{name} {answer.hex()}")
                other.take(answer)

    def talk(self):
        self.say("client", b"GET /ws HTTP/1.1\r\nHost: chat.example\r\n\r\n")
        self.say("server", b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        self.say("client", b"\x81\x85\x01\x02\x03\x04\x69\x67\x6f\x68\x6e")
        self.say("server", b"\x81\x05hello")
        return self

    def close(self):
        for name, end, other in (("client", self.client, self.server), ("server", self.server, self.client)):
            SSL.SSL_shutdown(end.ssl)
            wire = end.pending()
            self.lines.append(f"{name} {wire.hex()}")
            other.take(wire)
        return self

    def text(self, about):
        keys = [f"key {line}" for line in self.log]
        said = [f"{side}says {data.hex()}" for side, data in self.said.items() if data]
        return "\n".join([f"# {about}", *keys, *self.lines, *said]) + "\n"


def certificate(folder, name, *kind):
    chain, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-keyout", key, "-out", chain, "-days", "2",
         "-subj", "/CN=c"], check=True, capture_output=True)
    return chain, key


def retried(ec):
    log, forget = [], []
    client = Context("1.3", log, groups="X25519:P-256")
    return Exchange("1.3", ec, client=client, server=Context("1.3", forget, ec, groups="P-256"))


def resumed(version, ec):
    forget = []
    client, server = Context(version, forget), Context(version, forget, ec)
    first = Exchange(version, ec, client=client, server=server).shake()
    first.say("server", b"ticket")
    session = P(check(SSL.SSL_get1_session(first.client.ssl), "session"))
    return Exchange(version, ec, client=client, server=server, session=session)


def early(ec, is_accepted):
    forget = []
    client, server = Context("1.3", forget), Context("1.3", forget, ec)
    SSL.SSL_CTX_set_max_early_data(server.pointer, ctypes.c_uint32(16384))
    SSL.SSL_CTX_set_options(server.pointer, ctypes.c_uint64(1 << 24))  # SSL_OP_NO_ANTI_REPLAY
    first = Exchange("1.3", ec, client=client, server=server).shake()
    first.say("server", b"ticket")
    session = P(check(SSL.SSL_get1_session(first.client.ssl), "session"))
    exchange = Exchange("1.3", ec, client=client, server=server, session=session)
    if not is_accepted:
        SSL.SSL_set_max_early_data(exchange.server.ssl, ctypes.c_uint32(0))
    written = ctypes.c_size_t()
    check(SSL.SSL_write_early_data(exchange.client.ssl, b"EARLY-DATA", ctypes.c_size_t(10), ctypes.byref(written)), "0")
    wire = exchange.client.pending()
    exchange.lines.append(f"client {wire.hex()}")
    exchange.server.take(wire)
    if is_accepted:
        data = ctypes.create_string_buffer(100)
        count = ctypes.c_size_t()
        SSL.SSL_read_early_data(exchange.server.ssl, data, ctypes.c_size_t(100), ctypes.byref(count))
        if data.raw[:count.value] != b"EARLY-DATA":
            raise SystemExit("make_tls_exchanges: the early data did not arrive")
    exchange.server.shake()
    return exchange.shake()


def updated(ec):
    exchange = Exchange("1.3", ec).shake().talk()
    for name, end in (("client", exchange.client), ("server", exchange.server)):
        check(SSL.SSL_key_update(end.ssl, I(1 if name == "client" else 0)), "key update")
        exchange.say(name, b"after an update of " + name.encode())
        exchange.say("server", b"between")
        exchange.say("client", b"again")
    return exchange


def renegotiated(ec):
    exchange = Exchange("1.2", ec, "ECDHE-ECDSA-AES128-GCM-SHA256")
    for end in (exchange.client, exchange.server):
        SSL.SSL_set_options(end.ssl, ctypes.c_uint64(LEGACY_RENEGOTIATION))
    exchange.shake().talk()
    check(SSL.SSL_renegotiate(exchange.client.ssl), "renegotiate")
    return exchange.shake()


def build(folder):
    ec = certificate(folder, "ec", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    rsa = certificate(folder, "rsa", "rsa:2048")
    for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
                  "TLS_AES_128_CCM_SHA256"):
        yield f"13-{suite[4:].lower()}", f"TLS 1.3 {suite}", Exchange("1.3", ec, suite).shake().talk().close()
    for suite in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
                  "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA256",
                  "ECDHE-ECDSA-AES256-SHA384", "AES128-SHA", "AES256-SHA256", "AES256-GCM-SHA384",
                  "DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"):
        chain = ec if "ECDSA" in suite else rsa
        yield f"12-{suite.lower()}", f"TLS 1.2 {suite}", Exchange("1.2", chain, suite).shake().talk().close()
        if suite.endswith("SHA") or suite == "ECDHE-ECDSA-AES256-SHA384":
            server = Context("1.2", [], chain, suite, options=NO_ETM)
            exchange = Exchange("1.2", chain, suite, server=server).shake().talk().close()
            yield f"12-{suite.lower()}-mac-inside", f"TLS 1.2 {suite} without encrypt-then-MAC", exchange
    for version in VERSIONS:
        short = version.replace(".", "")
        yield f"{short}-resumed", f"TLS {version}, resumed by a ticket", resumed(version, ec).shake().talk().close()
        yield f"{short}-h2", f"TLS {version}, HTTP/2 agreed", Exchange(version, ec, alpn=b"h2").shake().talk()
        small = Context(version, [], ec, maximum=512)
        exchange = Exchange(version, ec, server=small).shake()
        exchange.say("server", b"0123456789abcdef" * 80)
        yield f"{short}-fragments", f"TLS {version}, a server of records of 512 bytes", exchange.close()
    server = Context("1.2", [], ec, options=NO_TICKET)
    client = Context("1.2", [])
    first = Exchange("1.2", ec, client=client, server=server).shake()
    session = P(SSL.SSL_get1_session(first.client.ssl))
    exchange = Exchange("1.2", ec, client=client, server=server, session=session).shake().talk().close()
    yield "12-resumed-id", "TLS 1.2, resumed by a session id", exchange
    yield "13-retry", "TLS 1.3 with a HelloRetryRequest", retried(ec).shake().talk().close()
    yield "13-early", "TLS 1.3, early data taken", early(ec, True).talk().close()
    yield "13-early-refused", "TLS 1.3, early data refused", early(ec, False).talk().close()
    yield "13-update", "TLS 1.3, keys updated by both", updated(ec).close()
    yield "12-renegotiation", "TLS 1.2, renegotiated after the talk", renegotiated(ec)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--out", default=os.path.join(here, "..", "CapturesTests", "Vectors", "tls"))
    out = parser.parse_args().out
    os.makedirs(out, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, about, exchange in build(folder):
            with open(os.path.join(out, name + ".txt"), "w") as file:
                file.write(exchange.text(about))
            print(name)


if __name__ == "__main__":
    main()
