"""As much of a mail server as one message needs, on loopback."""

import socketserver
from contextlib import contextmanager
from threading import Thread


class Conversation(socketserver.StreamRequestHandler):
    """Hears one message."""

    def handle(self):
        self.say("220 practice")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            self.server.heard.append(line)
            if word == "DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.messages.append(b"".join(lines).decode())
            if word == "RCPT" and self.server.refuses:
                self.say("550 no")
            else:
                self.say("250 well" if word != "QUIT" else "221 bye")
            if word == "QUIT":
                return

    def say(self, words):
        self.wfile.write(f"{words}\r\n".encode())


class Server(socketserver.TCPServer):
    """A server that takes what is sent, or refuses to whom."""

    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.heard, self.messages, self.refuses = [], [], False

    @property
    def message(self):
        """The last one."""
        return self.messages[-1]

    @property
    def address(self):
        return f"smtp://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving():
    """Let a server of its own take messages while this lasts."""
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
