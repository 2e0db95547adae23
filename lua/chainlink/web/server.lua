-- SPDX-License-Identifier: MIT
-- Answers HTTP requests while a client of the same thread waits: server:wait is what a client takes as its `loop`.

local core = require "chainlink.core"
local headers = require "chainlink.web.headers"

local server = {}
local Server = {}
Server.__index = Server

local reasons = { [200] = "OK", [206] = "Partial Content", [400] = "Bad Request", [401] = "Unauthorized",
  [404] = "Not Found", [405] = "Method Not Allowed", [429] = "Too Many Requests", [502] = "Bad Gateway",
  [503] = "Service Unavailable", [504] = "Gateway Timeout" }

local LOCAL = -1 -- in place of a port: the host is a socket's path

local common = headers.lines(headers.common) .. "Connection: close\r\n"

local function head_of(answer, length)
  local first = ("HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"):format(answer.status, reasons[answer.status] or "Other",
    answer.type)
  if length then first = first .. ("Content-Length: %d\r\n"):format(length) end
  return first .. common .. (answer.headers or "") .. "\r\n"
end

local function words(status, text, lines)
  return { status = status, type = "text/plain; charset=utf-8", body = text .. "\n", headers = lines }
end

local function refused(status, reason)
  return { status = status, type = "application/json", body = ('{"error":"%s"}'):format(reason) }
end

local function answer_to(routes, path, request, answer)
  if request.method == "" then return words(405, "only GET and HEAD are understood", "Allow: GET, HEAD\r\n") end
  local route = routes[path]
  if route then return route(request, answer) end
  local paths = {}
  for known in pairs(routes) do paths[#paths + 1] = known end
  table.sort(paths)
  return words(404, "there is nothing here; there is " .. table.concat(paths, ", "))
end

local function send(self, id, method, answer)
  if answer.subscribe and method ~= "HEAD" then
    if core.web_send(self.socket, id, head_of(answer), true) then
      answer.subscribe(function(text) return core.web_send(self.socket, id, text, true) end)
    end
    return
  end
  local body = answer.body or ""
  core.web_send(self.socket, id, head_of(answer, #body) .. (method == "HEAD" and "" or body), false)
end

local function reply_to_all(self)
  while true do
    local id, method, path, resume, query, status, reason = core.web_take(self.socket)
    if not id then return end
    local function answer(with) send(self, id, method, with) end
    local at_once = status > 0 and refused(status, reason)
      or answer_to(self.routes, path, { method = method, query = query, resume = resume }, answer)
    if at_once then answer(at_once) end
  end
end

--- Waits until fd (-1: none; or one of an array) is readable, or until `seconds` (nil: no end) have passed, and answers
--- who asks meanwhile; may come back early. A signal's hook, Ctrl-C, runs in here.
function Server:wait(fd, seconds)
  core.web_step(self.socket, fd, seconds or math.huge)
  reply_to_all(self)
end

--- Sends a message to all WebSockets of the gate's feed of that number. -> to how many
function Server:tell(feed, message) return core.web_tell(self.socket, feed, message) end

--- Where it listens, with the port that it was given.
function Server:address()
  if self.port == LOCAL then return "unix:" .. self.host end
  return (self.host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(self.host, core.web_port(self.socket))
end

function Server:close()
  core.web_close(self.socket)
end

-- "127.0.0.1:80", "localhost:80", "[::1]:80" or, where it may be, "unix:PATH" -> host, port; nil for anything else
local function split(address, may_be_local)
  local path = may_be_local and address:match "^unix:(.+)$"
  if path then return path, LOCAL end
  local host, port = address:match "^%[([%x:.]+)%]:(%d+)$"
  if not host then host, port = address:match "^([^:%[%]]+):(%d+)$" end
  port = tonumber(port)
  if not port or port > 65535 then return nil end
  return host == "localhost" and "127.0.0.1" or host, port
end

--- Listens on HOST:PORT, an IP address or localhost, port 0 takes a free one; with a gate also on unix:PATH.
--- routes: [path] = function(request, answer), which answers {status=, type=, body=, headers=lines}, or with
--- `subscribe` in place of a body: it is called with a function that sends a text, and is false once nobody takes it;
--- or nothing, and calls `answer` with that later. A request has method, query and resume (Last-Event-ID, "" for none).
--- gate: who may ask, and for which WebSockets (src/web/gate.h): {key=, secret=, feeds=}.
--- -> server | nil, what is wrong, is it the address
function server.listen(address, routes, gate)
  local host, port = split(address, gate)
  if not host then
    return nil, ("'%s' is no address: give HOST:PORT, as 127.0.0.1:9464 or [::1]:9464"):format(address), true
  end
  local socket, err = core.web_open(host, port, gate)
  if not socket then return nil, err.message, err.kind == "ConfigError" end
  return setmetatable({ socket = socket, host = host, port = port, routes = routes }, Server)
end

return server
