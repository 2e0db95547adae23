-- SPDX-License-Identifier: MIT
-- Answers HTTP requests while a client of the same thread waits: server:wait is what a client takes as its `loop`.

local core = require "chainlink.core"
local headers = require "chainlink.web.headers"

local server = {}
local Server = {}
Server.__index = Server

local reasons = { [200] = "OK", [404] = "Not Found", [405] = "Method Not Allowed", [503] = "Service Unavailable" }

local common = headers.lines(headers.common) .. "Connection: close\r\n"

local function head_of(answer, length)
  local first = ("HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"):format(answer.status, reasons[answer.status], answer.type)
  if length then first = first .. ("Content-Length: %d\r\n"):format(length) end
  return first .. common .. (answer.headers or "") .. "\r\n"
end

local function words(status, text, lines)
  return { status = status, type = "text/plain; charset=utf-8", body = text .. "\n", headers = lines }
end

local function answer_to(routes, method, path, resume)
  if method == "" then return words(405, "only GET and HEAD are understood", "Allow: GET, HEAD\r\n") end
  local route = routes[path]
  if route then return route { method = method, resume = resume } end
  local paths = {}
  for known in pairs(routes) do paths[#paths + 1] = known end
  table.sort(paths)
  return words(404, "there is nothing here; there is " .. table.concat(paths, ", "))
end

local function reply(self, id, method, path, resume)
  local answer = answer_to(self.routes, method, path, resume)
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
  local id, method, path, resume = core.web_take(self.socket)
  while id do
    reply(self, id, method, path, resume)
    id, method, path, resume = core.web_take(self.socket)
  end
end

--- Waits until fd (-1: none) is readable, or until `seconds` (nil: no end) have passed, and answers who asks meanwhile;
--- may come back early. A signal's hook, Ctrl-C, runs in here.
function Server:wait(fd, seconds)
  core.web_step(self.socket, fd, seconds or math.huge)
  reply_to_all(self)
end

--- Where it listens, with the port that it was given.
function Server:address()
  return (self.host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(self.host, core.web_port(self.socket))
end

function Server:close()
  core.web_close(self.socket)
end

-- "127.0.0.1:80", "localhost:80" or "[::1]:80" -> host, port; nil for anything else
local function split(address)
  local host, port = address:match "^%[([%x:.]+)%]:(%d+)$"
  if not host then host, port = address:match "^([^:%[%]]+):(%d+)$" end
  port = tonumber(port)
  if not port or port > 65535 then return nil end
  return host == "localhost" and "127.0.0.1" or host, port
end

--- Listens on HOST:PORT, an IP address or localhost; port 0 takes a free one. routes: [path] = function(request), which
--- answers {status=, type=, body=, headers=lines}, or with `subscribe` in place of a body: it is called with a function
--- that sends a text, and is false once nobody takes it. A request has method and resume (Last-Event-ID, "" for none).
--- -> server | nil, what is wrong, is it the address
function server.listen(address, routes)
  local host, port = split(address)
  if not host then
    return nil, ("'%s' is no address: give HOST:PORT, as 127.0.0.1:9464 or [::1]:9464"):format(address), true
  end
  local socket, err = core.web_open(host, port)
  if not socket then return nil, err.message, err.kind == "ConfigError" end
  return setmetatable({ socket = socket, host = host, routes = routes }, Server)
end

return server
