-- SPDX-License-Identifier: MIT
-- Starts the simulator as a process of its own, on a free port of the loopback interface, and talks to its control
-- paths. The command comes from PATH, so the specs test the build whose environment is set (make env).

local simulator = {}
local Simulator = {}
Simulator.__index = Simulator

local function quote(value)
  return "'" .. tostring(value):gsub("'", "'\\''") .. "'"
end

-- Options by the name of their flag: { rate = 10, plain = true, fault = { "on=ws,action=drop", … } } and so on.
local function command_line(options)
  local names = {}
  for name in pairs(options) do names[#names + 1] = name end
  table.sort(names)
  local words = { "exec chainlink-streams simulate --exit-with-parent" }
  for _, name in ipairs(names) do
    local value = options[name]
    local flag = "--" .. name:gsub("_", "-")
    if value == true then
      words[#words + 1] = flag
    elseif value then
      for _, item in ipairs(type(value) == "table" and value or { value }) do
        words[#words + 1] = flag .. " " .. quote(item)
      end
    end
  end
  return table.concat(words, " ")
end

-- Reads the export lines; the process id is the last one.
local function read_environment(pipe)
  local env = {}
  for line in pipe:lines() do
    local name, value = line:match "^export ([%u_]+)=(.*)$"
    if name then env[name] = value:match "^'(.*)'$" or value end
    if name == "CHAINLINK_SIMULATOR_PID" then return env end
  end
  return nil
end

-- Closing the pipe waits for the process: one that a failed test left running must be stopped before.
Simulator.__gc = function(self) self:stop() end

local newproxy = rawget(_G, "newproxy") -- Lua 5.1 and LuaJIT, where tables have no finalizers

local function guarded(self)
  if newproxy then
    self.guard = newproxy(true)
    getmetatable(self.guard).__gc = function() Simulator.stop(self) end
  end
  return setmetatable(self, Simulator)
end

--- Runs a shell command that becomes a simulator, and waits until it listens: until it has printed its export lines.
--- Raises when it does not start.
function simulator.run(command)
  local pipe = assert(io.popen(command, "r"))
  local env = read_environment(pipe)
  if not env then
    pipe:close()
    error("the simulator did not start: " .. command, 2)
  end
  return guarded {
    pipe = pipe,
    env = env,
    pid = env.CHAINLINK_SIMULATOR_PID,
    rest_url = env.CHAINLINK_STREAMS_REST_URL,
    ws_url = env.CHAINLINK_STREAMS_WS_URL,
    ca_file = env.CHAINLINK_STREAMS_CA_FILE,
    api_key = env.CHAINLINK_STREAMS_API_KEY,
    api_secret = env.CHAINLINK_STREAMS_API_SECRET,
  }
end

--- Starts `chainlink-streams simulate` with these options.
function simulator.start(options)
  return simulator.run(command_line(options or {}))
end

--- What a shell sets before a command that is to talk to this simulator.
function Simulator:exports()
  local exports = {}
  for name, value in pairs(self.env) do exports[#exports + 1] = ("%s='%s'"):format(name, value) end
  return table.concat(exports, " ")
end

--- The options of a client of this simulator, with the caller's on top.
function Simulator:options(more)
  local options = {
    api_key = self.api_key,
    api_secret = self.api_secret,
    rest_url = self.rest_url,
    price_url = self.rest_url,
    ws_url = self.ws_url,
    tls = self.ca_file and { ca_file = self.ca_file } or nil,
  }
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

function Simulator:client(more)
  return require "chainlink".client(self:options(more))
end

--- One request to the simulator itself, as any HTTPS client would send it: answers the body and the status.
function Simulator:control(method, path, body)
  local command = ("curl -sSk --max-time 60 -H 'X-Simulator-Control: 1' -X %s %s -w '\\n%%{http_code}' %s"):format(
    method, body and ("--data-raw " .. quote(body)) or "", quote(self.rest_url .. path))
  local pipe = assert(io.popen(command, "r"))
  local answer = pipe:read "*a"
  pipe:close()
  local text, status = answer:match "^(.*)\n(%d+)$"
  return text, tonumber(status)
end

--- Adds faults, one text each, in the simulator's fault language.
function Simulator:fault(...)
  local _, status = self:control("POST", "/control/faults", table.concat({ ... }, "\n"))
  assert(status and status < 300, "the simulator refused the fault: " .. table.concat({ ... }, " | "))
end

function Simulator:clear_faults()
  assert(select(2, self:control("DELETE", "/control/faults")) < 300)
end

--- Its own counters (docs/simulator.md).
function Simulator:stats()
  return require("cjson").decode((self:control("GET", "/control/stats")))
end

--- How many requests of a path it answered with that status (a number), or with any.
function Simulator:answered(path, status)
  local counts, sum = self:stats().requests[path], 0
  for text, count in pairs(counts) do
    if not status or tonumber(text) == status then sum = sum + count end
  end
  return sum
end

--- The port it listens on.
function Simulator:port()
  return tonumber(self.rest_url:match ":(%d+)$")
end

--- Sends a signal by name ("STOP", "CONT", "KILL").
function Simulator:signal(name)
  os.execute(("kill -%s %s 2>/dev/null"):format(name, self.pid))
end

--- Ends the process and waits for its end; may be called again.
function Simulator:stop()
  if not self.pipe then return end
  self:signal "CONT" -- a stopped process would not see the next signal
  self:signal "TERM"
  self.pipe:close()
  self.pipe = nil
end

return simulator
