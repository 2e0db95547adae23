-- SPDX-License-Identifier: MIT
-- A browser's EventSource: reads server-sent events of an nginx, and comes back by itself with the last id it had.

local cjson = require "cjson"

local subscriber = {}
local Subscriber = {}
Subscriber.__index = Subscriber

local always = { clock = true, feed = true, state = true } -- told to everybody who comes

--- Of a path of spec.support.nginx: its reports are in .events, each as {id=, report= what its data says}; the names of
--- events that not everybody gets in .others.
function subscriber.open(server, path)
  return setmetatable({ server = server, path = path, events = {}, others = {}, breaks = -1 }, Subscriber)
end

local function connect(self)
  self.breaks = self.breaks + 1
  self.raw, self.text, self.has_head = "", "", false
  local ok, client = pcall(self.server.open, self.server, self.path,
    self.last and "Last-Event-ID: " .. self.last .. "\r\n" or "")
  self.client = ok and client or nil
  if ok then client:settimeout(0) end
end

-- Chunk by chunk (RFC 9112, 7.1) from what came to what was sent.
local function unwrap(self)
  if not self.has_head then
    local rest = self.raw:match "^HTTP/1.1 200 .-\r\n\r\n(.*)$"
    if not rest then return end
    self.raw, self.has_head = rest, true
  end
  while true do
    local size, start = self.raw:match "^(%x+)\r\n()"
    local stop = size and start + tonumber(size, 16) - 1
    if not size or #self.raw < stop + 2 then return end
    self.text, self.raw = self.text .. self.raw:sub(start, stop), self.raw:sub(stop + 3)
  end
end

local function take_events(self)
  local start = 1
  for block, stop in self.text:gmatch "(.-)\n\n()" do
    local id, name, data = block:match "id: ([^\n]+)", block:match "event: ([^\n]+)", block:match "data: ([^\n]+)"
    self.last = id or self.last
    if data and name == "report" then table.insert(self.events, { id = id, report = cjson.decode(data) })
    elseif data and not always[name] then table.insert(self.others, name) end
    start = stop
  end
  self.text = self.text:sub(start)
end

--- Reads what is there; to be called often.
function Subscriber:pump()
  if not self.client then connect(self) end
  if not self.client then return end
  local _, err, part = self.client:receive "*a"
  self.raw = self.raw .. (part or "")
  unwrap(self)
  take_events(self)
  if err ~= "timeout" then self:close() end
end

function Subscriber:close()
  if self.client then self.client:close() end
  self.client = nil
end

return subscriber
