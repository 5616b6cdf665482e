"""What tshark finds in a capture, and what miswire says of a recording: (stream, direction) -> messages, for comparison."""
import base64, collections, json, subprocess, tempfile
import xml.etree.ElementTree
from typing import NamedTuple

# Wireshark 4.0 shows the deflated bytes of a compressed message that comes in fragments.
UNREAD_BY_TSHARK = {"deflate-fragments"}


class Found(NamedTuple):
    stream: str
    source: str
    target: str
    # The value of an Authorization header, or nothing.
    authorization: str | None = None
    # Of a whole message: its opcode and bytes.
    message: tuple[int, bytes] | None = None


def found(path, keys=None):
    """Everything of interest in its order. Only the frame that ends a message shows it."""
    command = ["tshark", "-n", "-r", path, "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "http.authorization || websocket", "-T", "pdml"]
    command += ["-o", f"tls.keylog_file:{keys}"] if keys else []
    with tempfile.TemporaryFile() as pdml:
        subprocess.run([str(word) for word in command], stdout=pdml, stderr=subprocess.PIPE, check=True, timeout=600)
        pdml.seek(0)
        for _, packet in xml.etree.ElementTree.iterparse(pdml):
            if packet.tag != "packet":
                continue
            yield from in_packet(packet)
            packet.clear()


def in_packet(packet):
    way, opcode = (), None
    for layer in packet:
        fields = {field.get("name"): field for field in layer.iter("field")}
        if layer.get("name") == "tcp":
            way = tuple(fields[name].get("show") for name in ("tcp.stream", "tcp.srcport", "tcp.dstport"))
        elif layer.get("name") == "http" and "http.authorization" in fields:
            yield Found(*way, authorization=fields["http.authorization"].get("show"))
        elif layer.get("name") == "websocket":
            is_end = fields["websocket.fin"].get("show") in ("1", "True")
            opcode = 2 if is_end else None
            if is_end and "websocket.payload.text" in fields:
                yield Found(*way, message=(1, bytes.fromhex(fields["websocket.payload.text"].get("value"))))
        elif opcode and "data.data" in fields:
            # What a binary message holds stands behind its frame.
            yield Found(*way, message=(opcode, bytes.fromhex(fields["data.data"].get("value"))))


def by_tshark(path, keys=None):
    """What was said on each connection in each direction, in no order of connections."""
    lists = collections.defaultdict(list)
    for it in found(path, keys):
        if it.message and it.message[1]:
            lists[it.stream, it.source].append(it.message[1])
    return sorted(lists.values())


def by_miswire(lines):
    """The same from what `miswire export --format ndjson` printed. An empty message, which tshark has no field for, is left out."""
    lists = collections.defaultdict(list)
    for line in lines.splitlines():
        message = json.loads(line)
        if message["opcode"] in (1, 2) and (data := payload(message)):
            lists[message["session"], message["direction"]].append(data)
    return sorted(lists.values())


def payload(message):
    return message["data"].encode() if "data" in message else base64.b64decode(message["data64"])


def first_difference(ours, theirs):
    for own, other in zip(ours, theirs):
        for index, (a, b) in enumerate(zip(own, other)):
            if a != b:
                return f"message {index + 1} of a connection: {a[:120]!r} here, {b[:120]!r} there"
        if len(own) != len(other):
            return f"{len(own)} messages of a connection here, {len(other)} there; it begins {(own or other)[0][:80]!r}"
    return f"{len(ours)} directions with messages here, {len(theirs)} there"
