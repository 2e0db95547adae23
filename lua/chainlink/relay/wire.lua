-- SPDX-License-Identifier: MIT
-- A connection to a Redis server that comes back by itself. Nothing here waits: whoever has it calls `step` when the
-- poller's descriptor is readable, and arms the poller for `due`.

local address = require "chainlink.relay.address"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local redis = require "chainlink.redis"

local wire = {}
local Wire = {}
Wire.__index = Wire

local ANSWER_SECONDS = 15 -- longer than any command here takes: the server, or the way to it, is gone
local FIRST_DELAY, LONGEST_DELAY = 0.05, 2 -- seconds before it is made anew

--- owner: on_up(wire), on_down(wire, words), on_refused(wire, words): the server will not have us, which is for good.
--- access: what address.parse answers; place: one of its places.
function wire.new(poller, access, place, owner)
  return setmetatable({ poller = poller, access = access, place = place, owner = owner, attempts = 0,
    retry_at = 0, asked = {}, first = 1, last = 0 }, Wire)
end

function Wire:text() return address.text(self.place) end

function Wire:is_up() return self.up == true end

-- ---- questions and answers ----

local function ask(self, arguments, done)
  local sent, why = redis.send(self.link, arguments)
  if not sent then return self:fail(why, done) end
  if self.first > self.last then self.deadline = core.monotonic() + ANSWER_SECONDS end
  self.last, self.has_unsent = self.last + 1, true
  self.asked[self.last] = done
end

--- Sends a command, {name, argument, …}, all strings, over a connection that is up: done(value), or done(nil, words)
--- when the connection ended before.
function Wire:call(arguments, done)
  if not self.up then return done(nil, "not connected") end
  ask(self, arguments, done)
end

-- Hands the next answer to who asked. -> false when there is none
local function answer(self)
  local found, value = redis.reply(self.link)
  if found == nil then
    self:fail(value)
    return false
  end
  if not found then return false end
  local done = self.asked[self.first]
  if not done then
    self:fail "the server answered what nobody had asked"
    return false
  end
  self.asked[self.first] = nil
  self.first = self.first + 1
  self.deadline = core.monotonic() + ANSWER_SECONDS
  done(value)
  return self.link ~= nil
end

-- ---- its life ----

local function close(self)
  if self.link then redis.close(self.link) end
  self.link, self.up = nil, false
  local asked, first, last = self.asked, self.first, self.last
  self.asked, self.first, self.last = {}, 1, 0
  return asked, first, last
end

--- Ends it: what was asked is answered by nil and these words, and it is made anew later. `also` is told too.
function Wire:fail(words, also)
  local was_up = self.up
  local asked, first, last = close(self)
  local delay = math.min(LONGEST_DELAY, FIRST_DELAY * 2 ^ self.attempts) * (0.5 + math.random() / 2)
  self.attempts = self.attempts + 1
  self.retry_at = core.monotonic() + delay
  for i = first, last do asked[i](nil, words) end
  if also then also(nil, words) end
  self.owner:on_down(self, words, was_up)
end

--- Ends it, and what was asked is answered by nil and some words. It is made anew when `step` is called, at once.
function Wire:close()
  local asked, first, last = close(self)
  self.attempts, self.retry_at = 0, 0
  for i = first, last do asked[i](nil, "the connection was closed") end
end

-- Errors that trying again does not mend.
local refusals = { "^NOAUTH", "^WRONGPASS", "^NOPERM", "^ERR AUTH", "^ERR invalid password", "^ERR invalid DB",
  "^ERR DB index", "^ERR unknown command", "^WRONGTYPE" }

--- Does this error answer's text mean that it is for good?
function wire.is_refusal(text)
  for _, pattern in ipairs(refusals) do
    if text:find(pattern) then return true end
  end
  return false
end

--- An error object for such words.
function wire.refusal(one, words)
  local kind, hint = "AuthenticationError", ""
  if words:find "^WRONGTYPE" then kind = "APIError" end
  if words:find "^ERR unknown command" then kind, hint = "ConfigError", "; Redis 7 or later is wanted" end
  return errors.new(kind, ("Redis at %s refuses: %s%s"):format(one:text(), words, hint))
end

local function greetings(access)
  local commands = {}
  if access.password and access.user then commands[1] = { "AUTH", access.user, access.password }
  elseif access.password then commands[1] = { "AUTH", access.password } end
  if access.database then commands[#commands + 1] = { "SELECT", access.database } end
  commands[#commands + 1] = { "PING" } -- a server that still loads its data refuses this
  return commands
end

local function connect(self)
  local link, why = redis.connect(self.poller, self.place.host, self.place.port, self.access.security)
  if not link then return self:fail(why) end
  self.link, self.fd = link, redis.fd(link)
  local commands = greetings(self.access)
  local function greet(i)
    if not commands[i] then
      self.up, self.attempts = true, 0
      return self.owner:on_up(self)
    end
    ask(self, commands[i], function(value)
      if value == nil then return end -- it failed, and will be tried again
      local words = type(value) == "table" and value.error
      if not words then return greet(i + 1) end
      if wire.is_refusal(words) then self.owner:on_refused(self, words) end
      self:fail(words)
    end)
  end
  greet(1)
end

--- Does what can be done now.
function Wire:step()
  local now = core.monotonic()
  if not self.link then
    if now < self.retry_at then return end
    connect(self)
    if not self.link then return end
  end
  self.has_unsent = false
  local ok, why = redis.work(self.link)
  while answer(self) do end
  if not self.link then return end
  if not ok then return self:fail(why) end
  if self.first <= self.last and now > self.deadline then
    return self:fail(("no answer within %d seconds"):format(ANSWER_SECONDS))
  end
  if self.has_unsent then return self:step() end -- what the answers led to
end

--- The time, by core.monotonic, at which `step` has something to do though nothing came; nil: none.
function Wire:due()
  if not self.link then return self.retry_at end
  return self.first <= self.last and self.deadline or nil
end

--- Has `step` something to do? ready: what redis.poller_ready answers, now: core.monotonic's time.
function Wire:has_work(ready, now)
  if self.link and (self.has_unsent or ready[self.fd]) then return true end
  local at = self:due()
  return at ~= nil and at <= now
end

return wire
