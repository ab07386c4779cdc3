#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Redfish service for tests, on a port of its own choice, which it prints.

usage: fake_redfish.py FOLDER [CERTIFICATE KEY]

Its world is FOLDER: "power" (On, Off), "mode" (how it misbehaves), "calls"
(what was asked).  One system at /redfish/v1/Systems/1, or with mode "three"
three, the host's the last.  User admin, password sesame."""
import base64
import http.server
import json
import os
import ssl
import sys

FOLDER = sys.argv[1]
UUID = "a1234567-89ab-cdef-a123-456789abcdef"
BASIC = "Basic " + base64.b64encode(b"admin:sesame").decode()
TOKEN = "token-1"
ETAG = 'W/"17"'


def get(name, default=""):
    try:
        with open(os.path.join(FOLDER, name), encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return default


def put(name, text, how="w"):
    with open(os.path.join(FOLDER, name), how, encoding="ascii") as file:
        file.write(text)


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, body=None, headers=()):
        text = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, status, text):
        self.say(status, {"error": {"@Message.ExtendedInfo": [
            {"Message": text}]}})

    def may(self):
        if get("mode") == "session":
            if self.headers.get("X-Auth-Token") == TOKEN:
                return True
            self.say(401)
        elif self.headers.get("Authorization") == BASIC:
            return True
        else:
            self.say(401, headers=[("WWW-Authenticate", "Basic realm=x")])
        return False

    def note(self, text=""):
        put("calls", f"{self.command} {self.path} {text}\n", "a")

    def system(self, name):
        power = get("power", "On")
        if get("mode") == "odd":
            power = "Perhaps"
        wanted = name == "1" or name == "3"
        return {"UUID": UUID if wanted else UUID.replace("a1", "b1"),
                "PowerState": power,
                "Actions": {"#ComputerSystem.Reset": {
                    "target": "http://127.0.0.1:9/elsewhere"
                              if get("mode") == "away" else
                              f"/redfish/v1/Systems/{name}/Actions/Reset",
                    "ResetType@Redfish.AllowableValues":
                        ["On", "ForceOff"] if get("mode") == "rude" else
                        ["On", "ForceOff", "GracefulShutdown"]}}}

    def do_GET(self):
        self.note()
        mode = get("mode")
        if not self.may():
            return
        if mode == "moved":
            self.say(302, headers=[("Location", "/redfish/v1/Systems/9")])
        elif mode == "huge":
            self.say(200, {"x": "y" * 1500000})
        elif mode == "broken":
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"{\"a\":")
        elif self.path.rstrip("/") == "/redfish/v1":
            self.say(200, {"Systems": {"@odata.id": "/redfish/v1/Systems"}})
        elif self.path == "/redfish/v1/Systems":
            names = "456"[:2] + "3" if mode == "three" else "1"
            self.say(200, {"Members": [
                {"@odata.id": f"/redfish/v1/Systems/{n}"} for n in names]})
        elif self.path.startswith("/redfish/v1/Systems/"):
            self.say(200, self.system(self.path.split("/")[4]),
                     [("ETag", ETAG)])
        elif self.path == "/redfish/v1/Tasks/1":
            self.task(mode)
        else:
            self.refuse(404, "no such thing")

    def task(self, mode):
        left = int(get("task", "0"))
        put("task", str(left - 1))
        if left > 0:
            self.say(202, {"TaskState": "Running"})
        elif mode == "gives_up":
            self.say(200, {"TaskState": "Exception"})
        else:
            put("power", get("wanted"))
            self.say(200, {"TaskState": "Completed"})

    def do_DELETE(self):
        self.note()
        self.say(204)

    def do_POST(self):
        body = json.loads(self.rfile.read(
            int(self.headers.get("Content-Length", "0"))))
        mode = get("mode")
        if self.path == "/redfish/v1/SessionService/Sessions":
            self.note()
            if body == {"UserName": "admin", "Password": "sesame"}:
                self.say(201, {}, [("X-Auth-Token", TOKEN), (
                    "Location", "/redfish/v1/SessionService/Sessions/1")])
            else:
                self.say(401)
            return
        self.note(body.get("ResetType"))
        if not self.may():
            return
        wanted = "On" if body["ResetType"] == "On" else "Off"
        if mode == "etag" and self.headers.get("If-Match") != ETAG:
            self.refuse(428, "say what you looked at")
        elif mode == "conflict":  # As if somebody else was faster.
            put("power", wanted)
            self.refuse(409, "it is so already")
        elif mode == "no":
            self.refuse(400, "not today")
        elif mode in ("task", "gives_up"):
            put("wanted", wanted)
            put("task", "1")
            self.say(202, headers=[("Location", "/redfish/v1/Tasks/1")])
        else:
            put("power", wanted)
            self.say(204)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):  # Clients that break off are what is tried.
        pass


def main():
    server = Server(("127.0.0.1", 0), Service)
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
