"""A small ERP with an order list and a document store, and the bad days of one.

Standard library only, so that it is nobody's client code turned inside out. Time is what `POST /control` says; the
`Date` header says the same. Rows carry the time they were changed and become visible when their transaction commits,
which may be later: that is what makes a late row.

    POST /login      {user, password}                       -> {code: 0, token}
    GET  /orders     ?start=ms&end=ms&page=1&size=10        -> {code: 0, data: {total, list: [{id, updated_at, amount}]}}
    POST /documents  {key, amount}                          -> {code: 0, id}
    GET  /documents  ?filter=key = 'K' OR ...               -> {code: 0, data: {total, list: [{id, key}]}}
    POST /control    {scenario, seed} | {now, poll} | {}    -> what the server holds

`code` is 0 for success; everything else is an error, with HTTP 200, as in many systems of this kind.
"""

import json
import random
import re
import sys
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import parse_qs, urlsplit

MINUTE = 60_000
# 2026-03-02 08:00 in Shanghai.
START = 1_772_409_600_000


class World:
    """What the ERP holds, and what is to go wrong."""

    def __init__(self):
        self.lock = Lock()
        self.reset("quiet", 1)

    def reset(self, scenario, seed):
        self.scenario = scenario
        self.now = START
        self.poll = 0
        self.session = 0
        self.struck = False
        self.documents = []
        self.posts = 0
        draw = random.Random(seed)
        self.rows = {}
        for number in range(240):
            at = START + draw.randrange(60 * MINUTE)
            self.put(f"S{number:04}", at, at + draw.randrange(5_000))
        # Rows just before and after the first poll, so that its newest row is younger than the late one.
        for number, seconds in enumerate((-50, -40, -20, -10, -6, 15, 25)):
            at = START + 10 * MINUTE + seconds * 1000
            self.put(f"E{number}", at, at)
        if scenario == "late":
            end = START + 10 * MINUTE
            self.put("LATE1", end - 30_000, end + 20_000)
            self.put("LATE2", end - 55_000, end + 2_000)

    def put(self, key, updated, visible):
        self.rows[key] = {"id": key, "updated_at": updated, "visible": visible, "amount": f"{len(self.rows)}.50"}

    def orders(self, start, end, page, size):
        """One page, or an error inside HTTP 200."""
        until = self.now if end is None else end
        found = [r for r in self.rows.values() if start <= r["updated_at"] < until and r["visible"] <= self.now]
        found.sort(key=lambda r: (r["updated_at"], r["id"]))
        fault = self.fault(start, until, page, len(found))
        if fault:
            return fault
        rows = [{k: r[k] for k in ("id", "updated_at", "amount")} for r in found[(page - 1) * size : page * size]]
        answer = {"code": 0, "msg": "", "data": {"total": len(found), "list": rows}}
        if self.scenario == "shift" and self.poll == 2 and page == 1 and len(found) > 2 * size and not self.struck:
            # Somebody changes an order of the first page while it is being read: the rest moves up by one.
            self.struck = True
            moved = self.rows[rows[3]["id"]]
            moved["updated_at"] = moved["visible"] = self.now
        return answer

    def fault(self, start, until, page, total):
        if self.struck or self.poll != 2:
            return None
        if self.scenario == "error":
            # One window of ten minutes: its first page. One long range: a page in its middle.
            middle = START + 25 * MINUTE
            windowed = until - start <= 15 * MINUTE
            if start <= middle < until and page == (1 if windowed else (total // 10) // 2):
                self.struck = True
                return {"code": 500, "msg": "系统繁忙,请稍后再试", "data": None}
        if self.scenario == "session" and page == 3:
            self.struck = True
            self.session += 1
            return {"code": 401, "msg": "会话信息已丢失,请重新登录", "data": None}
        return None


WORLD = World()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "erp"
    sys_version = ""

    def date_time_string(self, timestamp=None):
        return formatdate(WORLD.now / 1000, usegmt=True)

    def log_message(self, format, *arguments):
        pass

    def do_GET(self):
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        with WORLD.lock:
            if self.headers.get("token") != f"t{WORLD.session}":
                answer = {"code": 401, "msg": "会话信息已丢失,请重新登录", "data": None}
            elif url.path == "/orders":
                end = int(asked["end"]) if "end" in asked else None
                answer = WORLD.orders(int(asked["start"]), end, int(asked["page"]), int(asked["size"]))
            elif url.path == "/documents":
                keys = set(re.findall("'([^']*)'", asked["filter"]))
                found = [d for d in WORLD.documents if d["key"] in keys]
                answer = {"code": 0, "msg": "", "data": {"total": len(found), "list": found}}
            else:
                return self.reply(404, {"code": 404, "msg": "no such path"})
        self.reply(200, answer)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        path = urlsplit(self.path).path
        with WORLD.lock:
            if path == "/login":
                return self.reply(200, {"code": 0, "msg": "", "token": f"t{WORLD.session}"})
            if path == "/documents":
                WORLD.posts += 1
                document = {"id": f"D{len(WORLD.documents) + 1}", "key": body["key"], "amount": body["amount"]}
                WORLD.documents.append(document)
                if WORLD.posts % 5 == 0:
                    # Done, and then the gateway loses the answer.
                    return self.reply(502, {"error": "bad gateway"})
                return self.reply(200, {"code": 0, "msg": "", "id": document["id"]})
            if path == "/control":
                if "scenario" in body:
                    WORLD.reset(body["scenario"], body["seed"])
                WORLD.now = body.get("now", WORLD.now)
                WORLD.poll = body.get("poll", WORLD.poll)
                keys = [d["key"] for d in WORLD.documents]
                return self.reply(
                    200,
                    {
                        "rows": sorted(r["id"] for r in WORLD.rows.values() if r["visible"] <= WORLD.now),
                        "documents": len(keys),
                        "doubled": len(keys) - len(set(keys)),
                        "keys": sorted(set(keys)),
                        "struck": WORLD.struck,
                    },
                )
        self.reply(404, {"code": 404, "msg": "no such path"})

    def reply(self, status, answer):
        data = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
