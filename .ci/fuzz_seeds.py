"""Small inputs to begin fuzzing with, and words that mutations may put in (used by fuzz-targets).

An input may stand for several files and for TLS secrets: FILE and KEYS part them (Tests/Fuzzers/Targets/FuzzInput.swift).
"""

import gzip
import struct
import zlib

FILE, KEYS = b"\n==file==\n", b"\n==keys==\n"
PACKETS = 40

REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n")
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n%s\r\n")
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[: len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Talk:
    """A TCP connection between 10.0.0.1:50000 and 10.0.0.2:80 as packets from the network layer up."""

    def __init__(self, six=False):
        self.six, self.next, self.packets = six, {True: 1000, False: 0xfffffff0}, []

    def say(self, client, data=b"", flags=0x18):
        ports = (50000, 80) if client else (80, 50000)
        tcp = struct.pack(">HHIIBBHHH", *ports, self.next[client], self.next[not client], 5 << 4, flags, 65535, 0, 0) + data
        if self.six:
            addresses = [bytes(15) + b"\x01", bytes(15) + b"\x02"][:: 1 if client else -1]
            head = struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + b"".join(addresses)
        else:
            addresses = [bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])][:: 1 if client else -1]
            head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), len(self.packets), 0x4000, 64, 6, 0) + b"".join(addresses)
            head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        self.packets.append(head + tcp)
        self.next[client] = (self.next[client] + len(data) + (1 if flags & 3 else 0)) & 0xffffffff
        return self

    @staticmethod
    def session(six=False, deflated=False):
        talk = Talk(six).say(True, flags=2).say(False, flags=0x12).say(True, flags=0x10)
        extra = DEFLATE if deflated else b""
        talk.say(True, REQUEST % extra).say(False, ANSWER % extra)
        if deflated:
            packer = zlib.compressobj(wbits=-15)
            text = (packer.compress(b'{"a":1}' * 9) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
            talk.say(True, bytes([0xc1, 0x80 | len(text), 0, 0, 0, 0]) + text)
            talk.say(False, bytes([0x41, len(text) // 2]) + text[: len(text) // 2])
            talk.say(False, bytes([0x89, 0]) + bytes([0x80, len(text) - len(text) // 2]) + text[len(text) // 2 :])
        else:
            talk.say(True, b"\x81\x82\0\0\0\0hi").say(False, b"\x81\x02yo").say(False, b"\x82\x7e\x00\x80" + bytes(128))
        talk.say(True, b"\x88\x82\0\0\0\0\x03\xe8").say(False, b"\x88\x02\x03\xe8")
        return talk.say(True, flags=0x11).say(False, flags=0x11).packets


def classic(packets, link=101, order="<", magic=0xa1b2c3d4):
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    return head + b"".join(
        struct.pack(order + "IIII", 1_789_999_336, index, len(packet), len(packet)) + packet
        for index, packet in enumerate(packets))


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def blocks(packets, link=101, order="<", secrets=b""):
    out = block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1), order)
    out += block(1, struct.pack(order + "HHIHHB3xHH", link, 0, 262144, 9, 1, 9, 0, 0), order)
    if secrets:
        out += block(10, struct.pack(order + "II", 0x544c534b, len(secrets)) + secrets, order)
    for index, packet in enumerate(packets):
        if index == 3:
            out += block(3, struct.pack(order + "I", len(packet)) + packet, order)
            continue
        time = 1_789_999_336_000_000_000 + index
        out += block(6, struct.pack(order + "IIIII", 0, time >> 32, time & 0xffffffff, len(packet), len(packet)) + packet, order)
    return out + block(5, struct.pack(order + "III", 0, 0, 0), order)


def captures():
    plain, six, packed = Talk.session(), Talk.session(six=True), Talk.session(deflated=True)
    shuffled = plain[:4] + plain[5:7] + plain[4:5] + plain[8:]
    ethernet = [bytes(12) + b"\x08\0" + packet for packet in plain]
    tagged = [bytes(12) + b"\x81\0\0\x05\x86\xdd" + packet for packet in six]
    cooked = [b"\0\0\0\1\0\6" + bytes(8) + b"\x08\0" + packet for packet in plain]
    cooked2 = [b"\x08\0\0\0" + bytes(16) + packet for packet in plain]
    loop = [struct.pack("<I", 2) + packet for packet in plain]
    secrets = b"CLIENT_RANDOM " + b"0" * 64 + b" " + b"1" * 96 + b"\n"
    return [
        classic(plain), classic(six), classic(packed), classic(shuffled), classic(plain[4:]), classic(ethernet, 1),
        classic(tagged, 1, ">"), classic(cooked, 113), classic(cooked2, 276), classic(loop, 0, magic=0xa1b23c4d),
        blocks(plain), blocks(packed, order=">"), blocks(ethernet, 1, secrets=secrets), blocks(plain) + blocks(six, order=">"),
        classic(plain[:6]) + FILE + classic(plain[6:]), classic(packed) + KEYS + secrets, b"",
    ]


def traces():
    entry = (
        b'{"_resourceType":"websocket","_webSocketMessages":[{"type":"send","time":1789999336.014,"opcode":1,"data":"{}"},'
        b'{"type":"receive","time":1789999336500,"opcode":2,"data":"AAEC"},{"type":"error","time":1,"opcode":-1,"data":"x"},'
        b'{"type":"receive","time":1789999337,"opcode":8,"data":"A+g="}],"request":{"method":"GET","url":"wss://h/ws",'
        b'"headers":[{"name":"Host","value":"h"}]},"response":{"status":101,"headers":[],"content":{"_file":"id:000001"}},'
        b'"startedDateTime":"2026-09-21T14:02:16Z"}')
    shell = b'{"log":{"version":"1.2","creator":{"name":"x","version":"1"},"entries":[%s]}}'
    side = b'{"type":"send","time":1789999336014,"opcode":1,"data":"side"}\n'
    return [shell % entry, shell % b",".join([entry] * 3), shell % b"", shell % entry + FILE + side]


def lines():
    text = (
        b'{"session":"s1","user":"alice","direction":"toServer","opcode":"text","time":"2026-09-21T14:02:16.014Z","data":"{}"}\n'
        b'{"session":"s2","direction":"toClient","opcode":"binary","time":"2026-09-21T14:02:16.013Z","data64":"AAEC"}\n'
        b'{"session":"s1","direction":"toClient","opcode":1,"time":1789999336.5,"data":"hi"}\n'
        b'{"session":"s2","direction":"toServer","time":1789999336601,"data":{"n":1.0}}\n'
        b'{"session":"s1","direction":"toClient","opcode":"close","time":1789999336701,"data64":"A+g="}\n'
        b'{"session":"s1","direction":"toServer","opcode":"close","time":1789999336702,"data64":"A+g="}\n')
    return [text, text[:120], text + FILE + text, b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n")]


def flows():
    def net(value):
        if isinstance(value, bool):
            return tagged(str(value).lower().encode(), b"!")
        if isinstance(value, dict):
            return tagged(b"".join(net(key) + net(item) for key, item in value.items()), b"}")
        if isinstance(value, (list, tuple)):
            return tagged(b"".join(map(net, value)), b"]")
        if value is None:
            return b"0:~"
        if isinstance(value, bytes):
            return tagged(value, b",")
        kind = {int: b"#", float: b"^", str: b";"}[type(value)]
        return tagged(str(value).encode(), kind)

    def tagged(data, kind):
        return b"%d:%s%s" % (len(data), data, kind)

    flow = {
        "type": "http", "version": 21, "id": "1", "timestamp_created": 1789999336.0,
        "client_conn": {"peername": ["10.0.0.1", 50000, 0, 0], "timestamp_start": 1789999336.0},
        "server_conn": {"address": ["h", 80], "peername": ["10.0.0.2", 80]},
        "request": {
            "method": b"GET", "scheme": b"http", "host": "h", "port": 80, "path": b"/ws", "authority": b"",
            "http_version": b"HTTP/1.1", "headers": [[b"Upgrade", b"websocket"], [b"Connection", b"Upgrade"]],
            "content": b"", "timestamp_start": 1789999336.0},
        "response": {"status_code": 101, "reason": b"x", "http_version": b"HTTP/1.1", "headers": [[b"Upgrade", b"websocket"]]},
        "websocket": {
            "messages": [[1, True, b"hi", 1789999337.0, False, False], [2, False, b"\x00\x01", 1789999338.0, True, True]],
            "closed_by_client": True, "close_code": 1000, "close_reason": "", "timestamp_end": 1789999339.0},
        "error": None,
    }
    return [net(flow), net(flow) * 2, net({**flow, "websocket": None}) + net(flow)]


def raws():
    return [b'{"a":1}\n{"b":[2]}\n', b"hello", b"\x00\xff\xfe" * 20, b"a" + FILE + b'{"a":1}\n{"b":2}' + FILE + b"\xff"]


def frame(first, payload, masked, form=7):
    length = len(payload)
    head = bytes([first]) + {
        7: bytes([masked << 7 | length]), 16: struct.pack(">BH", masked << 7 | 126, length),
        64: struct.pack(">BQ", masked << 7 | 127, length)}[form]
    key = b"\x01\x02\x03\x04" if masked else b""
    return head + key + bytes(byte ^ key[place % 4] for place, byte in enumerate(payload)) if masked else head + payload


def streams():
    """The first byte says whose they are, the next two how they are cut."""
    talk = [
        frame(0x81, b"hello", 1), frame(0x01, b"frag", 1), frame(0x89, b"ping", 1), frame(0x80, b"ment", 1),
        frame(0x82, bytes(200), 1, 16), frame(0x81, b"long", 1, 64), frame(0xb3, b"odd", 0), frame(0x88, b"\x03\xe8bye", 1)]
    top = b"\x81\xff\x80" + bytes(11)
    return [bytes([mode, 2, 1]) + b"".join(talk) + top for mode in (0, 1, 4)] + [b"\x02\0\0" + frame(0xc1, b"\xca\xcfK\x05\0", 1)]


def heads():
    rich = b"Cookie: a=1; token=\"x\"\r\nSec-WebSocket-Protocol: chat, v2\r\nOrigin: null\r\n"
    request = REQUEST.replace(b"/ws", b"/ws?token=a%%20b&x=1#f") % rich
    odd = b"GET http://h/ws?a HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n"
    return [b"\0\7\3" + request + frame(0x81, b"early", 1), b"\1\7\3" + ANSWER % DEFLATE + frame(0x81, b"hi", 0), b"\0\0\0" + odd,
            b"\2\0\0" + request, b"\0\0\0220 mail ready\r\n", b"\1\0\0HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"]


def packed():
    """The first byte is the context; then a length, a fourth of it, before each message."""
    def message(data):
        data += bytes(-(len(data) - 1) % 4)
        return bytes([(len(data) - 1) // 4]) + data
    packer = zlib.compressobj(wbits=-15)
    texts = [(packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4] for text in (b'{"a":1}' * 9, b'{"a":2}' * 9, bytes(90_000))]
    return [bytes([mode]) + b"".join(map(message, texts)) for mode in (0xf0, 0x78, 0x08)]


def texts():
    return [b"\2\3" + "one é € \U0001f600 end".encode(), b"\1\0" + b"ok \xed\xa0\x80", b"\1\0" + b"\xe2\x82", b"\7\7" + b"plain " * 9]


def sessions():
    """Kinds, seed, then orders: who, what, and bytes (Tests/Fuzzers/Checks/SessionCheck.swift)."""
    def say(side, data):
        return b"".join(bytes([side | len(part)]) + part for part in (data[at : at + 63] for at in range(0, len(data), 63)) if len(part) > 8)
    up = frame(0x81, b'{"type":"a","id":"x1","n":1}', 1) * 2 + frame(0x01, b"frag", 1) + frame(0x80, b"ment", 1)
    down = frame(0x81, b'{"type":"b","user_id":"u"}', 0) * 2 + frame(0x89, b"pingping", 0)
    talk = say(0, up) + say(0x40, down) + say(0x80, up) + say(0xc0, down) + b"\0\xff" + say(0, up) + say(0x40, down)
    packed = frame(0xc1, b"\xca\xcfK\x05\0", 1) + frame(0xc1, b"*)\xcf\x07\0", 1)
    out = [bytes([kinds, 7]) + talk + b"\1" for kinds in range(8)]
    return out + [bytes([0x40 | kinds, 3]) + say(0, packed) * 3 + say(0x40, down) + b"\5" for kinds in range(8)] + [b"\x80\1\6" + talk]


MADE = {"frames": streams, "heads": heads, "deflate": packed, "text": texts, "session": sessions, "pcap": captures, "har": traces, "ndjson": lines, "flow": flows, "raw": raws}


def made(name):
    """Small inputs for a target; what is not known here begins with nothing."""
    return MADE.get(name, lambda: [b""])()


def cut_packets(data):
    """The beginning of a classic capture."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    end = 24
    for _ in range(PACKETS):
        if end + 16 > len(data):
            break
        end += 16 + struct.unpack_from(order + "I", data, end + 8)[0]
    return data[:end]


def cut_blocks(data):
    """The same of a pcapng file."""
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    end = 0
    for _ in range(PACKETS):
        if end + 12 > len(data):
            break
        end += max(12, struct.unpack_from(order + "I", data, end + 4)[0])
    return data[:end]


def of_file(path):
    """What a file of the project gives: itself, or the beginning of a long one where that is whole as well."""
    data = path.read_bytes()
    seeds = [data]
    if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"):
        seeds = [cut_packets(data)]
    elif data.startswith(b"\x0a\x0d\x0d\x0a"):
        seeds = [cut_blocks(data)]
    elif data.startswith(b'{"miswire-recording"'):
        rows = data.splitlines(keepends=True)
        short = b"".join(rows[:20])
        seeds = [short, gzip.compress(short, mtime=0), short + FILE + rows[0] + b"".join(rows[20:30])]
        seeds += [rows[0] + row for row in rows[1:60:3]]
    elif path.suffix == ".ndjson":
        seeds = [b"".join(data.splitlines(keepends=True)[:20])]
    keys = path.with_name("keys.log")
    if keys.exists() and path.suffix.startswith(".pcap"):
        seeds = [seed + KEYS + keys.read_bytes() for seed in seeds]
    return seeds


WORDS = {
    "frames": [b"\x81\xfe", b"\x81\xff", b"\x80\0\0\0\0\0\0\0", b"\x7f\xff\xff\xff\xff\xff\xff\xff", b"\x88\x82", b"\x89\x80", b"\0\x80", b"\x01\x80"],
    "heads": [
        b"\r\n\r\n", b"\r\n ", b"\n\n", b"Host: a\r\n", b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n", b"Content-Length: ",
        b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"GET ", b"Cookie: ", b"Sec-WebSocket-Protocol: ",
        b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=", b"\"", b"://", b"?", b"&", b"%00", b"#",
    ],
    "deflate": [b"\0\0\xff\xff", b"\x4b\x04\0", b"\x01\0\0\xff\xff", b"\xff", b"\x03\0"],
    "text": [b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80"],
    "session": [b"\x81\x80\0\0\0\0", b"\x89\x81", b"\x01\x84", b"\x80\x84", b"\x81\x02{}", b"\x88\x02\x03\xe8", b"\x81\xff\x80", b"HTTP/1.1 101 ", b"\r\n\r\n"],
    "pcap": [
        b"\x0a\x0d\x0d\x0a", b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d", b"\x01\0\0\0", b"\x02\0\0\0", b"\x03\0\0\0",
        b"\x05\0\0\0", b"\x06\0\0\0", b"\x0a\0\0\0", b"KSLT", b"KNSS", b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\xc3\xd4",
        b"\x09\0\x01\0", b"\x0e\0\x08\0", b"\x08\x00", b"\x86\xdd", b"\x81\x00", b"\x88\xa8", b"\x45\0", b"\x60\0\0\0", b"\xff\xff\xff\xff",
        b"\x16\x03\x01", b"\x16\x03\x03", b"\x17\x03\x03", b"\x14\x03\x03\0\x01\x01", b"\x15\x03\x03\0\x02", b"\x02\0\0", b"\x0b\0",
        b"\x14\0\0\x0c", b"\x18\0\0\x01\x01", b"\0\x2b\0\x02\x03\x04", b"\x13\x01", b"\x13\x02", b"\x13\x03", b"\xc0\x2f", b"\xc0\x30",
        b"CLIENT_RANDOM ", b"CLIENT_TRAFFIC_SECRET_0 ", b"SERVER_TRAFFIC_SECRET_0 ", b"CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
        b"SERVER_HANDSHAKE_TRAFFIC_SECRET ", b"CLIENT_EARLY_TRAFFIC_SECRET ", b"\r\n\r\n", b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: ", b"HTTP/1.1 101 ", b"HTTP/1.1 200 OK\r\n", b"GET / HTTP/1.1\r\n", b"permessage-deflate", b"\x81\x7f", b"\x88\x02",
    ],
    "har": [
        b'"log":', b'"entries":[', b'"_webSocketMessages":[', b'"_resourceType":"websocket"', b'"type":"send"', b'"type":"receive"',
        b'"time":', b'"opcode":', b'"data":', b'"request":{', b'"response":{', b'"headers":[', b'"name":', b'"value":', b'"url":"wss://',
        b'"status":', b'"startedDateTime":"', b'"_file":"', b'"content":{', b'"_failureText":', b"1e308", b"-1", b"1e11", b"\\ud83d", b"\\u0000",
        b"null", b"true", b"[[", b"{}", b'{"a":',
    ],
    "ndjson": [
        b'"session":"s1"', b'"direction":"toServer"', b'"direction":"toClient"', b'"opcode":', b'"text"', b'"binary"', b'"ping"', b'"pong"',
        b'"close"', b'"continuation"', b'"time":', b'"data":', b'"data64":"', b'"user":', b'"target":', b"1e308", b"-1", b"9223372036854775807", b"\\ud800",
    ],
    "flow": [
        b"0:~", b"0:,", b"0:;", b"0:]", b"0:}", b"4:true!", b"5:false!", b"1:1#", b"9:websocket;", b"8:messages;", b"7:request;",
        b"8:response;", b"7:headers;", b"10:close_code;", b"16:closed_by_client;", b"7:version;", b"2:21#", b"11:status_code;", b"3:101#",
        b"999999999999:", b"11:client_conn;", b"11:server_conn;", b"13:timestamp_end;", b"3:nan^", b"3:inf^", b"5:1e308^",
    ],
    "recording": [
        b'"n":', b'"t":', b'"seq":', b'"kind":"', b"frame", b"opened", b"head", b"facts", b"became", b"bytes", b"fault", b"limit", b"hold", b"recoded",
        b"ended", b"closed", b"note", b"tick", b'{"end":', b'{"miswire-recording":1', b'"s":', b'"redactions":', b"18446744073709551615", b"-1", b"null",
    ],
    "plan": [
        b"miswire plan 1\n", b"user  ", b"credential ", b"connect /ws", b"until ", b"within 1s", b"send ", b"close", b"wait ", b"expect ", b"frame ",
        b"seed ", b"profile ", b"fault ", b"```", b"$run1.", b'"""', b"0x", b"18446744073709551615", b"1h", b"\t",
    ],
}


def dictionary(name):
    """In libFuzzer's form."""
    words = WORDS.get(name, []) + [FILE] + ([KEYS] if name == "pcap" else [])
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words)
