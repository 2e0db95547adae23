-- SPDX-License-Identifier: MIT
-- A server that answers every request with the same text, or those of a path with one of theirs, whatever that is.

local project = require "spec.support.project"

local answers = {}
local Server = {}
Server.__index = Server

-- Answers every connection with the text in a file, as often as is asked, until it is killed.
local SERVER = [[
local socket = require "socket"
local listener = assert(socket.bind("127.0.0.1", 0))
io.write(select(2, listener:getsockname()), "\n")
io.flush()
while true do
  local connection = listener:accept()
  connection:settimeout(60)
  local line, length, path
  repeat
    line = connection:receive "*l"
    path = path or line and line:match "^%u+ ([^ ?]*)"
    length = line and line:match "^[Cc]ontent%-[Ll]ength: (%d+)" or length
  until not line or line == ""
  if length then connection:receive(tonumber(length)) end -- or the answer could be lost by a reset
  local file = io.open(arg[1] .. (path or ""):gsub("/", "_"), "rb") or io.open(arg[1], "rb")
  connection:send(file:read "*a")
  file:close()
  connection:close()
end
]]

--- Starts one: its member `port` is where.
function answers.start()
  local self = setmetatable({}, Server)
  self.folder, self.remove = project.folder()
  project.write(self.folder .. "/server.lua", SERVER)
  self.pipe = assert(io.popen(("echo $$; exec %s %s/server.lua %s/answer"):format(project.lua, self.folder,
    self.folder), "r"))
  self.pid, self.port = self.pipe:read "*l", self.pipe:read "*l"
  return self
end

--- What it answers from now on; with a path, to requests of that.
function Server:say(text, path)
  project.write(self.folder .. "/answer" .. (path or ""):gsub("/", "_"), text)
end

function Server:stop()
  os.execute("kill " .. self.pid)
  self.pipe:close()
  self.remove()
end

--- An HTTP answer: status such as "200 OK", header lines that each end in \r\n, and a body.
function answers.http(status, headers, body)
  return ("HTTP/1.1 %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(status, headers, #body, body)
end

return answers
