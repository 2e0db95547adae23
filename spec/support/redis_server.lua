-- SPDX-License-Identifier: MIT
-- Redis servers of our own on this computer, one alone or a cluster of three, that may be killed and come back with
-- what they had.

local await = require "spec.support.await"
local project = require "spec.support.project"
local restartable = require "spec.support.restartable"

local redis_server = {}
local Server = setmetatable({ name = "Redis" }, restartable)
Server.__index = Server

--- Is there one to start?
function redis_server.is_there()
  return select(2, project.run "command -v redis-server redis-cli") == 0
end

--- A port of this computer that nobody listens on.
function redis_server.free_port()
  local port
  repeat port = restartable.free_port() until port < 55536 -- a cluster's servers talk to each other 10,000 above
  return port
end

local SETTINGS = "--save '' --appendonly yes --appendfsync no --loglevel warning"

--- A server on a socket of a folder of its own; with `port` there, and one of a cluster. settings: more words for its
--- command line, login: words for redis-cli's. It runs when this comes back.
function redis_server.start(settings, port, login)
  local self = setmetatable({ port = port, settings = settings or "", login = login }, Server)
  self.folder, self.remove = project.folder()
  self.path = self.folder .. "/socket"
  self.url = port and ("redis://127.0.0.1:%d"):format(port) or "unix:" .. self.path
  self:run()
  return self
end

function Server:command()
  local where = self.port and ("--port %d --bind 127.0.0.1 --cluster-enabled yes --cluster-node-timeout 2000")
    :format(self.port) or "--port 0"
  return ("redis-server --dir %s --unixsocket %s %s %s %s"):format(self.folder, self.path, where, SETTINGS,
    self.settings)
end

--- Does it answer?
function Server:is_up() return self:ask "PING" == "PONG" end

--- What redis-cli answers, in its form for programs.
function Server:ask(words)
  return (project.run(("redis-cli -s %s --no-auth-warning %s %s"):format(self.path, self.login or "", words))
    :gsub("\n$", ""))
end

--- Seconds of processor time so far.
function redis_server.seconds(pid)
  local file = io.open(("/proc/%s/stat"):format(pid), "r")
  if not file then return 0 end
  local text = file:read "*a" or "" -- none where it has ended meanwhile
  local user, system = text:match "%) %u %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  file:close()
  return user and (tonumber(user) + tonumber(system)) / 100 or 0
end

--- Three servers that are a cluster.
function redis_server.cluster()
  local servers, places = {}, {}
  for i = 1, 3 do
    servers[i] = redis_server.start(nil, redis_server.free_port())
    places[i] = "127.0.0.1:" .. servers[i].port
  end
  local output, status = project.run(("redis-cli --cluster create %s --cluster-yes"):format(table.concat(places, " ")))
  assert(status == 0, output)
  for _, server in ipairs(servers) do
    await("the cluster", function() return server:ask "CLUSTER INFO":find "cluster_state:ok" end)
  end
  return servers, "redis://" .. table.concat(places, ",")
end

return redis_server
