"""Redis' protocol over a plain socket: one command out, one reply in. Standard library only."""


class ReplyError(Exception):
    """What the server refused with."""


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.rest = b""

    def send(self, *words):
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.sock.sendall(b"".join(parts))

    def ask(self, *words):
        self.send(*words)
        return self.reply()

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("closed by the server")
        self.rest += data

    def _line(self):
        while b"\r\n" not in self.rest:
            self._more()
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line

    def reply(self):
        line = self._line()
        kind, text = line[:1], line[1:].decode()
        if kind == b"+":
            return text
        if kind == b"-":
            raise ReplyError(text)
        if kind == b":":
            return int(text)
        if kind == b"$":
            size = int(text)
            if size < 0:
                return None
            while len(self.rest) < size + 2:
                self._more()
            data, self.rest = self.rest[:size], self.rest[size + 2 :]
            return data.decode()
        return [self.reply() for _ in range(int(text))]
