-- SPDX-License-Identifier: MIT
-- Requests and answers of the server, over sockets in the same thread; and what is no address.

local headers = require "chainlink.web.headers"
local project = require "spec.support.project"
local server = require "chainlink.web.server"
local site = require "chainlink.web.site"
local socket = require "socket"

local COMMON = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
  .. "Cross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n"

describe("the server", function()
  local serves, requests, subscriber, later
  before_each(function()
    requests = {}
    serves = assert(server.listen("127.0.0.1:0", {
      ["/text"] = function(request)
        requests[#requests + 1] = request
        return { status = 200, type = "text/plain", body = "the text", headers = "X-One: 1\r\n" }
      end,
      ["/later"] = function(_, answer) later = answer end,
      ["/status"] = function(request) return { status = tonumber(request.query), type = "text/plain" } end,
      ["/bare"] = function() return { status = 503, type = "text/plain" } end,
      ["/events"] = function(request)
        requests[#requests + 1] = request
        return { status = 200, type = "text/event-stream", subscribe = function(send) subscriber = send end }
      end,
    }))
  end)
  after_each(function()
    serves:close()
    subscriber = nil
  end)

  local function send(text)
    local address, port = serves:address():match "^(.*):(%d+)$"
    local peer = assert(socket.connect(address, tonumber(port)))
    peer:settimeout(0)
    assert(peer:send(text))
    return peer
  end

  -- What comes until done(text) or the end, for which the server is given its turns.
  local function receive(peer, done)
    local text, limit = "", socket.gettime() + 60
    repeat
      serves:wait(-1, 0.01)
      local more, reason, part = peer:receive "*a"
      text = text .. (more or part)
      assert(socket.gettime() < limit, "waited in vain")
    until reason ~= "timeout" or done and done(text)
    return text
  end

  local function ask(first, lines)
    return receive(send(("%s HTTP/1.1\r\nHost: here\r\n%s\r\n"):format(first, lines or "")))
  end

  it("answers with a length, and the headers of all", function()
    assert.are.equal("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n" .. COMMON
      .. "X-One: 1\r\n\r\nthe text", ask "GET /text")
    assert.are.equal("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n" .. COMMON
      .. "\r\n", ask "GET /bare")
  end)

  it("has words for each status", function()
    for status, words in pairs { [200] = "OK", [206] = "Partial Content", [400] = "Bad Request", [401] = "Unauthorized",
      [404] = "Not Found", [405] = "Method Not Allowed", [418] = "Other", [429] = "Too Many Requests",
      [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout" } do
      assert.are.equal(("HTTP/1.1 %d %s"):format(status, words), ask("GET /status?" .. status):match "^[^\r]*")
    end
  end)

  it("lets a route answer later", function()
    local peer = send "GET /later HTTP/1.1\r\nHost: here\r\n\r\n"
    repeat serves:wait(-1, 0.01) until later
    later { status = 206, type = "text/plain", body = "at last" }
    assert.matches("^HTTP/1.1 206 Partial Content\r\n.*\r\n\r\nat last$", receive(peer))
  end)

  it("answers HEAD without the body", function()
    assert.are.equal("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n" .. COMMON
      .. "X-One: 1\r\n\r\n", ask "HEAD /text")
    assert.are.equal("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n" .. COMMON .. "\r\n",
      ask "HEAD /events")
    assert.is_nil(subscriber)
  end)

  it("says what there is in the place of what is not, and refuses other methods", function()
    local kind = "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n" .. COMMON
    local words = "there is nothing here; there is /bare, /events, /later, /status, /text\n"
    assert.are.equal("HTTP/1.1 404 Not Found\r\n" .. kind:format(#words) .. "\r\n" .. words, ask "GET /other")
    words = "only GET and HEAD are understood\n"
    assert.are.equal("HTTP/1.1 405 Method Not Allowed\r\n" .. kind:format(#words) .. "Allow: GET, HEAD\r\n\r\n"
      .. words, ask "DELETE /text")
  end)

  it("tells a route the method, the query, and what a reader had last", function()
    ask("GET /text?a=b%20c&d", "Last-Event-ID: 1f-7\r\n")
    ask "HEAD /text"
    assert.are.same({ { method = "GET", query = "a=b c&d", resume = "1f-7" },
      { method = "HEAD", query = "", resume = "" } }, requests)
  end)

  it("answers all that ask at once", function()
    local peers = {}
    for i = 1, 3 do peers[i] = send "GET /text HTTP/1.1\r\nHost: here\r\n\r\n" end
    for _, peer in ipairs(peers) do assert.matches("the text$", receive(peer)) end
  end)

  it("sends a subscriber what comes, until that has gone", function()
    local peer = send "GET /events HTTP/1.1\r\nHost: here\r\nLast-Event-ID: 3\r\n\r\n"
    local head = receive(peer, function(text) return text:find "\r\n\r\n$" end)
    assert.are.equal("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" .. COMMON .. "\r\n", head)
    assert.are.same({ { method = "GET", query = "", resume = "3" } }, requests)
    for _, text in ipairs { "one", "two" } do
      assert.is_true(subscriber(text))
      assert.are.equal(text, receive(peer, function(got) return #got == #text end))
    end
    peer:close()
    local limit = socket.gettime() + 60
    while subscriber "three" do
      serves:wait(-1, 0.01)
      assert(socket.gettime() < limit, "it is still there")
    end
  end)

  it("listens on a socket of a path where there is a gate, and has feeds of it", function()
    local folder, remove = project.folder()
    finally(remove)
    local path = folder .. "/socket"
    local _, why, is_address = server.listen("unix:" .. path, {})
    assert.matches("is no address", why)
    assert.is_true(is_address)
    local one = assert(server.listen("unix:" .. path, {}, { feeds = { "0x0003" .. ("0"):rep(60) } }))
    assert.are.equal("unix:" .. path, one:address())
    assert.are.equal("socket\n", (project.run("stat -c %F " .. path)))
    assert.are.equal(0, one:tell(1, "nobody listens"))
    one:close()
  end)

  it("answers what its gate refuses, and why", function()
    serves:close()
    serves = assert(server.listen("127.0.0.1:0", {}, { key = "key", secret = "secret", feeds = {} }))
    local body = '{"error":"missing authorization headers"}'
    assert.are.equal(("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s")
      :format(#body, COMMON, body), ask "GET /text")
  end)

  it("comes back when a descriptor can be read, and waits for it without an end", function()
    local listener = assert(socket.bind("127.0.0.1", 0))
    local address, port = listener:getsockname()
    local peer = assert(socket.connect(address, port))
    serves:wait(listener:getfd())
    listener:settimeout(0)
    assert(listener:accept()):close()
    listener:close()
    peer:close()
  end)

  it("listens no more once it is closed", function()
    local one = assert(server.listen("127.0.0.1:0", {}))
    local port = tonumber(one:address():match "%d+$")
    one:close()
    assert.is_nil((socket.connect("127.0.0.1", port)))
  end)

  it("listens on addresses of both kinds, and by the name of this machine", function()
    assert.matches("^127%.0%.0%.1:[1-9]%d*$", serves:address())
    local local_one = assert(server.listen("localhost:0", {}))
    assert.matches("^127%.0%.0%.1:[1-9]%d*$", local_one:address())
    local_one:close()
    local six, why = server.listen("[::1]:0", {})
    if not six and why:find "Cannot assign" then return pending "there is no IPv6 here" end
    assert.matches("^%[::1%]:[1-9]%d*$", assert(six, why):address())
    six:close()
  end)

  it("says what is no address, and what another has", function()
    for _, wrong in ipairs { "", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80",
      "[::1]", "[::1:80", "127.0.0.1:80 " } do
      local found, why, is_address = server.listen(wrong, {})
      assert.is_nil(found)
      assert.are.equal(("'%s' is no address: give HOST:PORT, as 127.0.0.1:9464 or [::1]:9464"):format(wrong), why)
      assert.is_true(is_address)
    end
    local _, words, is_address = server.listen("nowhere.invalid:65535", {})
    assert.matches("is no IP address", words)
    assert.is_true(is_address)
    local found, why, is_wrong = server.listen(serves:address(), {})
    assert.are.same({ n = 2, nil, false }, { n = 2, found, is_wrong })
    assert.matches("^cannot listen on 127.0.0.1, port %d+: Address already in use", why)
  end)
end)

describe("the page's files", function()
  it("are served as what they are, with the headers of a page", function()
    local routes, kinds = site.routes(), {}
    for path, route in pairs(routes) do
      local answer = route()
      assert.are.equal(200, answer.status)
      assert.are.equal(headers.lines(headers.page), answer.headers)
      kinds[path] = answer.type
      if not path:find "uPlot" then assert.is_true(#answer.body > 100, path) end
    end
    assert.are.same({ ["/"] = "text/html; charset=utf-8", ["/page.css"] = "text/css; charset=utf-8",
      ["/page.js"] = "text/javascript; charset=utf-8", ["/uPlot.min.css"] = "text/css; charset=utf-8",
      ["/uPlot.iife.min.js"] = "text/javascript; charset=utf-8", ["/favicon.svg"] = "image/svg+xml" }, kinds)
    assert.matches("^<!DOCTYPE html>", routes["/"]().body)
  end)

  it("are as good without uPlot, and an error without the rest", function()
    local real, absent, closed = io.open, "uplot/", 0
    function io.open(name, mode) -- luacheck: ignore 122
      if name:find(absent, 1, true) then return nil, name .. ": absent" end
      local file = assert(real(name, mode))
      return { read = function(_, what) return file:read(what) end, close = function()
        closed = closed + 1
        file:close()
      end }
    end
    finally(function() io.open = real end) -- luacheck: ignore 122
    assert.are.equal("", site.files()["/uPlot.min.css"].body)
    assert.are.equal(4, closed)
    absent = "page.js"
    local ok, why = pcall(site.files)
    assert.is_false(ok)
    assert.matches("^the page is not installed: .*page.js: absent$", why)
  end)
end)
