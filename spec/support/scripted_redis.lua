-- SPDX-License-Identifier: MIT
-- A server that speaks Redis's protocol and answers what a spec says, in the spec's own process: for answers that no
-- real server gives when it is asked to. It does something when `pump` is called alone.

local socket = require "socket"

local scripted_redis = {}
local Server = {}
Server.__index = Server

--- What a script answers where there is to be no answer; and where the connection is to end.
scripted_redis.NOTHING, scripted_redis.END = {}, {}

--- answer(command, number) -> value, for each command, {name, argument, …}, that came over the connection of that
--- number: a text, a number, false for nothing, {error = text}, or an array of such.
function scripted_redis.start(answer)
  local listener = assert(socket.bind("127.0.0.1", 0))
  listener:settimeout(0)
  local port = tonumber((select(2, listener:getsockname())))
  return setmetatable({ listener = listener, port = port, url = ("redis://127.0.0.1:%d"):format(port),
    place = { host = "127.0.0.1", port = port }, answer = answer, connections = {}, asked = {} }, Server)
end

local function encode(value)
  if not value then return "$-1\r\n" end
  if type(value) == "number" then return (":%.0f\r\n"):format(value) end
  if type(value) == "string" then return ("$%d\r\n%s\r\n"):format(#value, value) end
  if value.error then return "-" .. value.error .. "\r\n" end
  local parts = { ("*%d\r\n"):format(#value) }
  for i, one in ipairs(value) do parts[i + 1] = encode(one) end
  return table.concat(parts)
end

-- The first command in a text, and what follows it; nil where it is not whole yet.
local function read_command(text)
  local count, place = text:match "^%*(%d+)\r\n()"
  if not count then return nil end
  local command = {}
  for i = 1, tonumber(count) do
    local length, start = text:match("^%$(%d+)\r\n()", place)
    if not length or #text < start + length + 1 then return nil end
    command[i], place = text:sub(start, start + length - 1), start + length + 2
  end
  return command, text:sub(place)
end

--- Sends bytes over the connection of that number.
function Server:send(number, data)
  local from = 1
  while from <= #data do
    local sent, why, last = self.connections[number].socket:send(data, from)
    if why and why ~= "timeout" then return end
    from = (sent or last) + 1
  end
end

--- Sends a value, asked for or not.
function Server:tell(number, value) self:send(number, encode(value)) end

--- Ends the connection of that number.
function Server:finish(number)
  local connection = self.connections[number]
  if connection.is_open then connection.socket:close() end
  connection.is_open = false
end

local function serve(self, number, connection)
  local whole, why, part = connection.socket:receive(65536)
  connection.text = connection.text .. (whole or part or "")
  while connection.is_open do
    local command, rest = read_command(connection.text)
    if not command then break end
    connection.text = rest
    self.asked[#self.asked + 1] = table.concat(command, " ")
    local value = self.answer(command, number)
    if value == scripted_redis.END then self:finish(number)
    elseif value ~= scripted_redis.NOTHING then self:tell(number, value) end
  end
  if why == "closed" then self:finish(number) end
end

--- Takes connections and commands that have come, and answers. Never waits.
function Server:pump()
  for client in function() return self.listener:accept() end do
    client:settimeout(0)
    self.connections[#self.connections + 1] = { socket = client, text = "", is_open = true }
  end
  for number, connection in ipairs(self.connections) do
    if connection.is_open then serve(self, number, connection) end
  end
end

--- How many connections are open, as far as it has looked.
function Server:open()
  local count = 0
  for _, connection in ipairs(self.connections) do count = count + (connection.is_open and 1 or 0) end
  return count
end

--- What was asked since the last time, each command as one text.
function Server:heard()
  local asked = self.asked
  self.asked = {}
  return asked
end

function Server:stop()
  for number in ipairs(self.connections) do self:finish(number) end
  self.listener:close()
end

return scripted_redis
