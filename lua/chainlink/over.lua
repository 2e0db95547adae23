-- SPDX-License-Identifier: MIT
-- A source of values made from a source of reports: bars over a stream, a stream behind a guard, and so on. It is read
-- as a stream is, so that one can be laid over the other.

local core = require "chainlink.core"
local check = require "chainlink.check"
local errors = require "chainlink.errors"
local waiting = require "chainlink.waiting"

local over = {}

local methods = {}
local Over = { __index = methods }

local function has(source, name)
  local kind = type(source)
  return (kind == "userdata" or kind == "table") and type(source[name]) == "function"
end

-- An iterator without `read`, as client:reports gives: what fails raises out of it.
local function read_iterator(source)
  return function()
    local report = source()
    if report ~= nil then return report end
    return nil, errors.new("StreamClosedError", "the source is at its end")
  end
end

--- source is a stream, what this function answered, or a function that gives reports. push(report) takes one of them;
--- take() gives what is ready, or nil; finish() is called once, when the source is over.
function over.new(source, push, take, finish)
  local readable = has(source, "read")
  if not readable and type(source) ~= "function" then
    errors.raise("ConfigError", "source must be a stream or an iterator over reports, got " .. errors.describe(source))
  end
  return setmetatable({ source = source, push = push, take = take, finish = finish,
    state = core.uservalue(source) or readable and source.state or nil,
    pull = readable and function(timeout) return source:read(timeout) end or read_iterator(source) }, Over)
end

--- The same where a report makes one value at most: accept(report) answers it, or nil.
function over.each(source, accept)
  local ready
  return over.new(source, function(report) ready = accept(report) end, function()
    local value = ready
    ready = nil
    return value
  end, function() end)
end

-- What ended the source, told again and again; what it leaves behind comes before.
local function ended(self, err)
  self.err = err
  self.finish()
end

-- The deadline passed, though reports came: none of them made a value.
local function late(timeout)
  return nil, errors.new("TimeoutError", ("nothing was ready within %g seconds"):format(timeout), { retryable = true })
end

--- The next value; waits up to `timeout` seconds, without one as long as it takes. -> value | nil, err as the source's
function methods.read(self, timeout)
  check.object(self, Over, "source", "read")
  check.seconds(timeout, "timeout")
  local deadline = timeout and core.monotonic() + timeout
  local left = timeout
  while true do
    local value = self.take()
    if value ~= nil then return value end
    if self.err then return nil, self.err end
    if left and left < 0 then return late(timeout) end
    local report, err = self.pull(left)
    if report ~= nil then self.push(report)
    elseif err.kind == "TimeoutError" then return nil, err
    else ended(self, err) end
    left = deadline and deadline - core.monotonic()
  end
end

--- Never waits. -> value | nil when none is ready | nil, err when the source is over
function methods.poll(self)
  check.object(self, Over, "source", "poll")
  if not has(self.source, "poll") then errors.raise("ConfigError", "the source cannot be polled: it is a function") end
  while true do
    local value = self.take()
    if value ~= nil then return value end
    if self.err then return nil, self.err end
    local report, err = self.source:poll()
    if report ~= nil then self.push(report)
    elseif err then ended(self, err)
    else return nil end
  end
end

--- `for value in source do`: a clean end ends the loop, a failure raises its error object.
function Over.__call(self)
  if self.state then waiting.check_for(self.state, "source:read") end
  local value, err = methods.read(self)
  if value ~= nil then return value end
  if err.kind == "StreamClosedError" then return nil end
  error(err, 0)
end

--- Ends the source, where it can be ended.
function methods.close(self)
  check.object(self, Over, "source", "close")
  if has(self.source, "close") then self.source:close() end
end

Over.__close = methods.close

return over
